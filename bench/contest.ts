import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { askAsAdmin, createConfig } from './admin.ts';
import type { BenchDatabase } from './bench-database.ts';
import { buildGateway, builtGateway } from './built-gateway.ts';
import { type Contestant, type ContestantOptions, startContestant } from './contestant.ts';
import { ask, type Measurement, measure, type Question } from './measure.ts';
import { seed } from './seed.ts';

export const GATEHOUSE = 'Gatehouse';
export const APOLLO = 'Apollo Server + Prisma';
/** How often an admin changes something while clients request the list. */
const CHANGES_PER_SECOND = 10;
const GATEHOUSE_CHANGING = `Gatehouse, ${CHANGES_PER_SECOND} changes a second`;

/** Who may be asked. */
export type ContestantName = 'changing' | 'apollo' | 'pg' | 'fixed';

export interface ContestOptions {
  database: BenchDatabase;
  seconds: number;
  signal: AbortSignal;
  /** Who is measured besides Gatehouse. */
  against: readonly ContestantName[];
  /** Makes the question, when the gateway has what `seed` makes. */
  toQuestion(database: BenchDatabase, gateway: { url: string; token: string }): Question | Promise<Question>;
  /** Something to do with the gateway while it runs. The embedded database has no place for another one. */
  afterwards?(
    gateway: Contestant,
    tokens: { adminToken: string; token: string },
    startOther: Start | undefined,
  ): Promise<void>;
}

/** Starts another gateway on the same database, for as long as the work takes. */
type Start = (work: (running: Contestant) => Promise<void>) => Promise<void>;

/** Measures the contestants one after the other, so that each shares the machine only with the load and PostgreSQL. */
export async function runContest(options: ContestOptions): Promise<{ measurements: Measurement[]; bytes: number }> {
  const { database, seconds, signal, against } = options;
  const measurements: Measurement[] = [];
  const during = async (contestant: ContestantOptions, work: (running: Contestant) => Promise<void>) => {
    signal.throwIfAborted();
    const running = await startContestant(contestant);
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
  buildGateway();
  const gateway = builtGateway(env);
  let token = '';
  let question: Question | undefined;
  let reference = { body: '', text: '', data: undefined as unknown };
  const add = async (name: string, server: Contestant): Promise<void> => {
    if (question === undefined) throw new Error('there is no question yet');
    console.log(`… ${name}`);
    measurements.push(await measure({ name, server, token }, question, reference, seconds));
  };

  await during(gateway, async (running) => {
    token = await seed(running.url, adminToken);
    question = await options.toQuestion(database, { url: running.url, token });
    const body = question.next();
    reference = { body, ...(await ask({ name: GATEHOUSE, server: running, token }, question, body)) };
    await add(GATEHOUSE, running);
    if (against.includes('changing')) {
      const stopChanging = await keepChanging(running.url, adminToken);
      try {
        await add(GATEHOUSE_CHANGING, running);
      } finally {
        await stopChanging();
      }
    }
    const startOther: Start | undefined = database.url === undefined ? undefined : (work) => during(gateway, work);
    await options.afterwards?.(running, { adminToken, token }, startOther);
  });
  const bytes = path.join(database.folder, 'answer.json');
  await writeFile(bytes, reference.text);

  const place = database.url === undefined ? ['--folder', database.folder] : ['--database', database.url];
  const others = [
    { as: 'apollo', name: APOLLO, script: new URL('./contestants/apollo-prisma.ts', import.meta.url), args: place },
    {
      as: 'pg',
      name: 'pg + JSON.stringify',
      script: new URL('./contestants/pg-json.ts', import.meta.url),
      args: place,
    },
    {
      as: 'fixed',
      name: 'node:http, fixed bytes',
      script: new URL('./contestants/fixed-bytes.ts', import.meta.url),
      args: ['--bytes', bytes],
    },
  ] as const;
  for (const { as, name, script, args } of others) {
    if (!against.includes(as) || (as === 'pg' && database.url === undefined)) continue;
    await during({ script, args }, (running) => add(name, running));
  }
  return { measurements, bytes: Buffer.byteLength(reference.text) };
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
