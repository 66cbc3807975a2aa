import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { askAsAdmin, createConfig } from './admin.ts';
import { measureAudit } from './audit.ts';
import { type BenchDatabase, openBenchDatabase } from './bench-database.ts';
import { benchCatalogue } from './catalogue.ts';
import { type Contestant, type ContestantOptions, startContestant } from './contestant.ts';
import { benchDoorKillSwitch } from './door-kill-switch.ts';
import { measureKillSwitch } from './kill-switch.ts';
import { LIST_FIELDS, LIST_SIZE } from './list-query.ts';
import { askForList, CONNECTIONS, type Measurement, measure } from './measure.ts';
import { measureSealing } from './sealing.ts';
import { seed } from './seed.ts';
import { formatTable } from './table.ts';

const GATEHOUSE = 'Gatehouse';
/** How often an admin changes something while clients request the list. */
const CHANGES_PER_SECOND = 10;
const GATEHOUSE_CHANGING = `Gatehouse, ${CHANGES_PER_SECOND} changes a second`;
const APOLLO = 'Apollo Server + Prisma';

/** Measures the contestants one after the other, so that each shares the machine only with the load and PostgreSQL. */
async function compareLists(database: BenchDatabase, seconds: number, signal: AbortSignal) {
  let killSwitch: string | undefined;
  const measurements: Measurement[] = [];
  const during = async (options: ContestantOptions, work: (running: Contestant) => Promise<void>) => {
    signal.throwIfAborted();
    const running = await startContestant(options);
    try {
      await Promise.race([work(running), rejectOnAbort(signal)]);
    } finally {
      await running.stop();
    }
  };

  const adminToken = randomBytes(24).toString('base64url');
  const env = {
    GATEHOUSE_ADMIN_TOKEN: adminToken,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    GATEHOUSE_DATA_DIR: database.folder,
    // The load comes from one user.
    GATEHOUSE_MAX_OPERATIONS_PER_MINUTE: '100000000',
    ...(database.url !== undefined && { DATABASE_URL: database.url }),
  };
  let token = '';
  let reference = '';
  const add = async (name: string, server: Contestant): Promise<void> => {
    console.log(`… ${name}`);
    measurements.push(await measure({ name, server, token }, reference, seconds));
  };

  const gateway: ContestantOptions = { script: new URL('../src/main.ts', import.meta.url), args: ['serve'], env };
  await during(gateway, async (running) => {
    token = await seed(running.url, adminToken);
    reference = await askForList({ name: GATEHOUSE, server: running, token });
    await add(GATEHOUSE, running);
    const stopChanging = await keepChanging(running.url, adminToken);
    try {
      await add(GATEHOUSE_CHANGING, running);
    } finally {
      await stopChanging();
    }
    if (database.url === undefined) return;
    await during(gateway, async (other) => {
      console.log('… the kill switch');
      killSwitch = await measureKillSwitch([running, other], { adminToken, token }, signal);
    });
  });
  const bytes = path.join(database.folder, 'answer.json');
  await writeFile(bytes, reference);

  const place = database.url === undefined ? ['--folder', database.folder] : ['--database', database.url];
  await during({ script: new URL('./contestants/apollo-prisma.ts', import.meta.url), args: place }, (running) =>
    add(APOLLO, running),
  );
  if (database.url !== undefined) {
    await during({ script: new URL('./contestants/pg-json.ts', import.meta.url), args: place }, (running) =>
      add('pg + JSON.stringify', running),
    );
  }
  await during(
    { script: new URL('./contestants/fixed-bytes.ts', import.meta.url), args: ['--bytes', bytes] },
    (running) => add('node:http, fixed bytes', running),
  );
  console.log(
    `\nThe member's list, ${LIST_SIZE} configs × ${LIST_FIELDS.length} fields, ${Math.round(Buffer.byteLength(reference) / 1_000)} kB`,
  );
  return { measurements, killSwitch };
}

/** Changes a config that the member cannot see, again and again, which invalidates all remembered answers. */
async function keepChanging(url: string, adminToken: string): Promise<() => Promise<void>> {
  const id = await createConfig(url, adminToken, 'changing', false);
  const mutation = `mutation ($id: UUID!, $description: String!) {
    updateMcpServerConfig(input: { id: $id, description: $description }) { mcpServerConfig { id } } }`;
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    for (let count = 0; !stop.signal.aborted; count += 1) {
      await askAsAdmin(url, adminToken, mutation, { id, description: `Changed ${count} times.` });
      await delay(1_000 / CHANGES_PER_SECOND);
    }
  };
  const running = run();
  running.catch(() => undefined);
  return async () => {
    stop.abort();
    await running;
  };
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function run(): Promise<void> {
  const options = { seconds: { type: 'string', default: '10' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 60) throw new Error('--seconds: a number from 1 to 60');
  if (positionals[0] === 'catalogue') return benchCatalogue(seconds);
  if (positionals[0] === 'kill-switch') return benchDoorKillSwitch();
  if (positionals.length > 0) throw new Error('the parts that can be named are "catalogue" and "kill-switch"');
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error('stopped')));
  const database = await openBenchDatabase();
  if (database.url === undefined) {
    console.log(
      'No PostgreSQL (set TEST_DATABASE_URL, or run one on 127.0.0.1:5432): the embedded database, without pg.',
    );
  }
  try {
    const { measurements, killSwitch } = await compareLists(database, seconds, stop.signal);
    const machine = `${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, ${database.label}`;
    console.log(`${CONNECTIONS} connections, ${seconds} s each; ${machine}\n\n${formatTable(measurements, APOLLO)}`);
    console.log(`\n${killSwitch ?? 'The kill switch needs two replicas, and so PostgreSQL.'}`);
    console.log(`\n${await measureSealing()}`);
    console.log(`\n${await measureAudit()}`);
  } finally {
    await database.remove();
  }
}

try {
  await run();
} catch (error) {
  console.error(`The benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
