import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { openServerDatabase } from '../src/data/database/server-database.ts';
import { generateApiToken, hashToken } from '../src/domain/credentials/token-format.ts';
import { fillTables, idOf } from '../test/data/large-rows.ts';
import { askAsAdmin } from './admin.ts';
import { type BenchDatabase, openBenchDatabase } from './bench-database.ts';
import { buildGateway, startBuilt } from './built-gateway.ts';
import type { Contestant } from './contestant.ts';

// How lists slow down as tables grow. `npm run bench -- growth`

/** Rounds of each list that are not measured, and those that are. */
const WARM_ROUNDS = 400;
const ROUNDS = 600;
/** Two gateways take turns, so that other work slows both of them alike. */
const ROUNDS_AT_ONCE = 50;
/** A gateway has settled when it uses less processor time than this in so many seconds, one after the other. */
const SETTLED_MS_PER_SECOND = 20;
const SETTLED_SECONDS = 3;
const SETTLE_DEADLINE_SECONDS = 300;
/** Of the tables when they are small: enough for a full page of each list. */
const FEW = 100;
/** Of all tables but that of configs when they are large. */
const MANY = 100_000;
/** Every second chat is theirs. */
const OWNER = idOf('user', 5_000);

/** The pages of 50. The viewer is asked for, too: such an answer is not remembered. */
const LISTS = {
  configs: 'mcpServerConfigs(first: 50) { nodes { id slug displayName url enabled version createdAt } }',
  users: 'users(first: 50) { nodes { id email role status createdAt } }',
  'the audit log': 'auditLog(first: 50) { nodes { id action outcome occurredAt } }',
  chats: 'chats(first: 50) { nodes { id title createdAt } }',
} as const;

type ListName = keyof typeof LISTS;

/** A gateway with so many rows of each table. */
interface Measured {
  gateway: Contestant;
  tokens: { admin: string; owner: string };
  /** In milliseconds: of each answer, and the processor time of all of them. */
  times: Record<ListName, { answers: number[]; processor: number }>;
}

/** Fills a database, starts a gateway on it, and waits until the gateway does nothing any more. */
async function start({ url, folder }: BenchDatabase, most: number): Promise<Measured> {
  if (url === undefined) throw new Error('this needs PostgreSQL');
  const admin = randomBytes(24).toString('base64url');
  const env = {
    GATEHOUSE_ADMIN_TOKEN: admin,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    GATEHOUSE_DATA_DIR: folder,
    DATABASE_URL: url,
    // The load comes from one user.
    GATEHOUSE_MAX_OPERATIONS_PER_MINUTE: '100000000',
  };
  await (await startBuilt(env)).stop();
  const owner = await fill(url, most);
  const gateway = await startBuilt(env);
  try {
    await settle(gateway);
  } catch (error) {
    await gateway.stop();
    throw error;
  }
  const times = Object.fromEntries(Object.keys(LISTS).map((name) => [name, { answers: [], processor: 0 }]));
  return { gateway, tokens: { admin, owner }, times: times as unknown as Measured['times'] };
}

/** @throws if it does not come to rest */
async function settle(gateway: Contestant): Promise<void> {
  let quiet = 0;
  let before = (await gateway.cpuMs()) ?? 0;
  for (let second = 0; quiet < SETTLED_SECONDS; second += 1) {
    if (second === SETTLE_DEADLINE_SECONDS) throw new Error('the gateway does not come to rest');
    await delay(1_000);
    const now = (await gateway.cpuMs()) ?? 0;
    quiet = now - before < SETTLED_MS_PER_SECOND ? quiet + 1 : 0;
    before = now;
  }
}

/** Asks for a page some times. */
async function ask({ gateway, tokens, times }: Measured, name: ListName, isMeasured: boolean): Promise<void> {
  const token = name === 'chats' ? tokens.owner : tokens.admin;
  const before = (await gateway.cpuMs()) ?? Number.NaN;
  for (let round = 0; round < ROUNDS_AT_ONCE; round += 1) {
    const begun = performance.now();
    const answer = await askAsAdmin<object>(gateway.url, token, `{ viewer { id } ${LISTS[name]} }`);
    if (isMeasured) times[name].answers.push(performance.now() - begun);
    if (round === 0) assertFull(name, answer);
  }
  if (isMeasured) times[name].processor += ((await gateway.cpuMs()) ?? Number.NaN) - before;
}

/** Fills a database that a gateway has migrated. @returns an API token of the owner of many chats */
async function fill(url: string, most: number): Promise<string> {
  const token = generateApiToken().expose();
  const database = await openServerDatabase(url, { poolSize: 1 });
  try {
    const [key] = await database.query('SELECT active_digest AS digest FROM encryption_keys LIMIT 1');
    await database.query('SET session_replication_role = replica');
    // What the start left has the numbers of the rows that come.
    await database.query('TRUNCATE config_changes, audit_entries');
    // Nothing expires while it is measured.
    const made = new Date(Date.now() - (most / 2) * 1_000);
    await fillTables(database, String(key?.['digest']), { most, made, lifetime: '30 days' });
    // Otherwise the gateway asks thousands of servers for their tools meanwhile.
    await database.query('UPDATE mcp_server_configs SET enabled = false');
    await database.query(
      `INSERT INTO users (id, email) VALUES ('${OWNER}', 'owner@example.com') ON CONFLICT DO NOTHING`,
    );
    await database.query(
      'INSERT INTO api_tokens (id, user_id, name, token_hash) VALUES (gen_random_uuid(), $1, $2, $3)',
      [OWNER, 'bench', hashToken(token)],
    );
    await database.query(`UPDATE users SET role = 'member', status = 'active' WHERE id = '${OWNER}'`);
  } finally {
    await database.close();
  }
  return token;
}

/** @throws if there are fewer than 50 */
function assertFull(name: string, answer: object): void {
  const lists = Object.values(answer) as { nodes?: unknown[] }[];
  const rows = lists.find(({ nodes }) => nodes !== undefined)?.nodes?.length;
  if (rows !== 50) throw new Error(`${name}: ${rows} rows instead of a page`);
}

/** Measures the first page of each list with few rows and with many. */
export async function benchGrowth(): Promise<string> {
  buildGateway();
  const databases: BenchDatabase[] = [];
  const found: Measured[] = [];
  try {
    for (const most of [FEW, MANY]) {
      const database = await openBenchDatabase();
      databases.push(database);
      if (database.url === undefined) return 'This needs PostgreSQL.';
      found.push(await start(database, most));
    }
    const names = Object.keys(LISTS) as ListName[];
    for (let round = 0; round < WARM_ROUNDS + ROUNDS; round += ROUNDS_AT_ONCE) {
      for (const name of names) for (const each of found) await ask(each, name, round >= WARM_ROUNDS);
    }
    const rows = names.map((name) => {
      const medians = found.map(({ times }) => times[name].answers.toSorted((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN);
      const processor = found.map(({ times }) => times[name].processor / ROUNDS);
      return `| ${name} | ${toCells(medians)} | ${toCells(processor)} |`;
    });
    const head = `${FEW} rows | 5,000 configs, 100,000 of the others | ratio`;
    return `A page of 50, median of ${ROUNDS}, and the processor time of each\n\n| | ${head} | CPU, ${head} |\n|---|--:|--:|--:|--:|--:|--:|\n${rows.join('\n')}`;
  } finally {
    for (const { gateway } of found) await gateway.stop();
    for (const database of databases) await database.remove();
  }
}

function toCells([few = Number.NaN, many = Number.NaN]: readonly number[]): string {
  return `${few.toFixed(2)} ms | ${many.toFixed(2)} ms | ${(many / few).toFixed(2)} ×`;
}
