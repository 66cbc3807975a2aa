import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureAudit } from './audit.ts';
import { openBenchDatabase } from './bench-database.ts';
import { benchCatalogue } from './catalogue.ts';
import { createChatQuestion } from './chats.ts';
import { APOLLO, type ContestOptions, runContest } from './contest.ts';
import { benchDoor } from './door.ts';
import { benchDoorKillSwitch } from './door-kill-switch.ts';
import { benchFeed } from './feed.ts';
import { benchGrowth } from './growth.ts';
import { measureKillSwitch } from './kill-switch.ts';
import { createFirstQuestion, LIST, LIST_FIELDS, LIST_SIZE } from './list-query.ts';
import { CONNECTIONS } from './measure.ts';
import { benchMemory } from './memory.ts';
import { measureSealing } from './sealing.ts';
import { benchStart } from './start.ts';
import { formatTable } from './table.ts';
import { benchWire } from './wire.ts';

interface Options {
  seconds: number;
  /** How many tool calls the memory is watched for. */
  calls: number;
  signal: AbortSignal;
}

/** Runs a contest and formats its table. */
async function contest(
  title: string,
  { seconds, signal }: Options,
  given: Pick<ContestOptions, 'against' | 'toQuestion' | 'afterwards'>,
): Promise<string> {
  const database = await openBenchDatabase();
  if (database.url === undefined) {
    console.log(
      'No PostgreSQL (set TEST_DATABASE_URL, or run one on 127.0.0.1:5432): the embedded database, without pg.',
    );
  }
  try {
    const { measurements, bytes } = await runContest({ database, seconds, signal, ...given });
    return `${title}, ${Math.round(bytes / 1_000)} kB; ${CONNECTIONS} connections, ${seconds} s each; ${database.label}\n\n${formatTable(measurements, APOLLO)}`;
  } finally {
    await database.remove();
  }
}

const LIST_TITLE = `The member's list, ${LIST_SIZE} configs × ${LIST_FIELDS.length} fields`;

async function benchList(options: Options): Promise<string> {
  let killSwitch = 'The kill switch needs two replicas, and so PostgreSQL.';
  const table = await contest(LIST_TITLE, options, {
    against: ['changing', 'apollo', 'pg', 'fixed'],
    toQuestion: () => LIST,
    async afterwards(running, tokens, startOther) {
      if (startOther === undefined) return;
      await startOther(async (other) => {
        console.log('… the kill switch');
        killSwitch = await measureKillSwitch([running, other], tokens, options.signal);
      });
    },
  });
  return `${table}\n\n${killSwitch}`;
}

/** The benchmarks by their names. Without a name, the first ones run. */
const BENCHES: Readonly<Record<string, (options: Options) => Promise<string | undefined>>> = {
  list: benchList,
  sealing: measureSealing,
  audit: measureAudit,
  first: (options) =>
    contest(`${LIST_TITLE}, each answered for the first time`, options, {
      against: ['apollo', 'pg', 'fixed'],
      toQuestion: createFirstQuestion,
    }),
  chat: (options) =>
    contest('The servers of 1,000 chats in turn', options, { against: ['apollo'], toQuestion: createChatQuestion }),
  feed: benchFeed,
  memory: benchMemory,
  start: benchStart,
  wire: benchWire,
  growth: benchGrowth,
  async catalogue({ seconds }) {
    await benchCatalogue(seconds);
    return undefined;
  },
  async door({ seconds, calls }) {
    await benchDoor(seconds, calls);
    return undefined;
  },
  async 'kill-switch'() {
    await benchDoorKillSwitch();
    return undefined;
  },
};
const USUAL = ['list', 'sealing', 'audit'];

function readNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Error(`--${name}: a number from ${least} to ${most}`);
}

async function run(): Promise<void> {
  const options = { seconds: { type: 'string', default: '10' }, calls: { type: 'string', default: '20000' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const seconds = readNumber('seconds', values.seconds, 1, 60);
  const calls = readNumber('calls', values.calls, 1_000, 1_000_000);
  const unknown = positionals.filter((name) => BENCHES[name] === undefined);
  if (unknown.length > 0) {
    throw new Error(`no benchmark is called ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error('stopped')));
  console.log(`${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`);
  for (const name of positionals.length === 0 ? USUAL : positionals) {
    const text = await BENCHES[name]?.({ seconds, calls, signal: stop.signal });
    if (text !== undefined) console.log(`\n${text}`);
  }
}

try {
  await run();
} catch (error) {
  console.error(`The benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
