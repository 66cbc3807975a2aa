import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { openServerDatabase } from '../src/data/database/server-database.ts';
import { generateApiToken, hashToken } from '../src/domain/credentials/token-format.ts';
import { fillTables, idOf, MANY } from '../test/data/large-rows.ts';
import { askAsAdmin } from './admin.ts';
import { type BenchDatabase, openBenchDatabase } from './bench-database.ts';
import { buildGateway, startBuilt } from './built-gateway.ts';

// How lists slow down as tables grow. `npm run bench -- growth`

/** A gateway that starts removes what has expired, which is most of the rows of some tables. */
const SETTLE_MS = 30_000;
const WARM_ROUNDS = 400;
const ROUNDS = 200;
/** Of the tables when they are small: enough for a full page of each list. */
const FEW = 100;
/** Every second chat is theirs. */
const OWNER = idOf('user', 5_000);

/** The pages of 50. The viewer is asked for, too: such an answer is not remembered. */
const LISTS = {
  configs: 'mcpServerConfigs(first: 50) { nodes { id slug displayName url enabled version createdAt } }',
  users: 'users(first: 50) { nodes { id email role status createdAt } }',
  'the audit log': 'auditLog(first: 50) { nodes { id action outcome occurredAt } }',
  chats: 'chats(first: 50) { nodes { id title createdAt } }',
} as const;

type Medians = Record<keyof typeof LISTS, number>;

/** Measures a page of each list of a database with so many rows of each table. @returns medians, in milliseconds */
async function measurePages({ url, folder }: BenchDatabase, most: number): Promise<Medians> {
  if (url === undefined) throw new Error('this needs PostgreSQL');
  const adminToken = randomBytes(24).toString('base64url');
  const env = {
    GATEHOUSE_ADMIN_TOKEN: adminToken,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    GATEHOUSE_DATA_DIR: folder,
    DATABASE_URL: url,
  };
  await (await startBuilt(env)).stop();
  const token = await fill(url, most);
  const gateway = await startBuilt(env);
  try {
    await delay(SETTLE_MS);
    const times: Record<string, number[]> = {};
    for (let round = 0; round < WARM_ROUNDS + ROUNDS; round += 1) {
      for (const [name, list] of Object.entries(LISTS)) {
        const begun = performance.now();
        const answer = await askAsAdmin<object>(
          gateway.url,
          name === 'chats' ? token : adminToken,
          `{ viewer { id } ${list} }`,
        );
        const ms = performance.now() - begun;
        if (round === 0) assertFull(name, answer);
        if (round >= WARM_ROUNDS) times[name] = [...(times[name] ?? []), ms];
      }
    }
    const median = (name: string) => times[name]?.toSorted((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN;
    return Object.fromEntries(Object.keys(LISTS).map((name) => [name, median(name)])) as Medians;
  } finally {
    await gateway.stop();
  }
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
    await fillTables(database, String(key?.['digest']), most);
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
  const found: Medians[] = [];
  for (const most of [FEW, MANY]) {
    const database = await openBenchDatabase();
    try {
      if (database.url === undefined) return 'This needs PostgreSQL.';
      found.push(await measurePages(database, most));
    } finally {
      await database.remove();
    }
  }
  const rows = (Object.keys(LISTS) as (keyof typeof LISTS)[]).map((name) => {
    const [before = Number.NaN, after = Number.NaN] = found.map((medians) => medians[name]);
    return `| ${name} | ${before.toFixed(1)} ms | ${after.toFixed(1)} ms | ${(after / before).toFixed(2)} × |`;
  });
  return `A page of 50, median of ${ROUNDS}\n\n| | ${FEW} rows | 5,000 configs, 100,000 of the others | |\n|---|--:|--:|--:|\n${rows.join('\n')}`;
}
