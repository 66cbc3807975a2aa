import { randomBytes } from 'node:crypto';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { openServerDatabase } from '../src/data/database/server-database.ts';
import { fillTables } from '../test/data/large-rows.ts';
import { askAsAdmin } from './admin.ts';
import { openBenchDatabase } from './bench-database.ts';
import { startContestant } from './contestant.ts';
import { seed } from './seed.ts';

// How lists slow down as tables grow. `npm run bench -- growth`

const ROUNDS = 60;

/** The pages of 50. The viewer is asked for, too: such an answer is not remembered. */
const LISTS: Readonly<Record<string, string>> = {
  configs: 'mcpServerConfigs(first: 50) { nodes { id slug displayName url enabled version createdAt } }',
  users: 'users(first: 50) { nodes { id email role status createdAt } }',
  'the audit log': 'auditLog(first: 50) { nodes { id action outcome occurredAt } }',
  chats: 'chats(first: 50) { nodes { id title createdAt } }',
};

/** @returns the median time of a page of each list, in milliseconds */
async function measurePages(env: Record<string, string>, adminToken: string, isFirst: boolean): Promise<number[]> {
  const script = new URL('../src/main.ts', import.meta.url);
  const gateway = await startContestant({ script, args: ['serve'], env });
  try {
    if (isFirst) await seed(gateway.url, adminToken);
    const medians: number[] = [];
    for (const list of Object.values(LISTS)) {
      const times: number[] = [];
      for (let round = 0; round < 2 * ROUNDS; round += 1) {
        const query = `{ viewer { id } ${list} }`;
        const begun = performance.now();
        await askAsAdmin(gateway.url, adminToken, query);
        if (round >= ROUNDS) times.push(performance.now() - begun);
      }
      medians.push(times.toSorted((a, b) => a - b)[ROUNDS / 2] ?? Number.NaN);
    }
    return medians;
  } finally {
    await gateway.stop();
  }
}

/** Measures the first page of each list with few rows and with many. */
export async function benchGrowth(): Promise<string> {
  const database = await openBenchDatabase();
  try {
    const { url } = database;
    if (url === undefined) return 'This needs PostgreSQL.';
    const adminToken = randomBytes(24).toString('base64url');
    const env = {
      GATEHOUSE_ADMIN_TOKEN: adminToken,
      GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
      GATEHOUSE_DATA_DIR: database.folder,
      DATABASE_URL: url,
    };
    const few = await measurePages(env, adminToken, true);
    const filled = await openServerDatabase(url, { poolSize: 1 });
    try {
      const [key] = await filled.query('SELECT active_digest AS digest FROM encryption_keys LIMIT 1');
      // What `seed` left has the numbers of the rows that come.
      await filled.query('SET session_replication_role = replica');
      await filled.query('TRUNCATE config_changes, audit_entries');
      await fillTables(filled, String(key?.['digest']));
    } finally {
      await filled.close();
    }
    const many = await measurePages(env, adminToken, false);
    const rows = Object.keys(LISTS).map((name, index) => {
      const [before = Number.NaN, after = Number.NaN] = [few[index], many[index]];
      return `| ${name} | ${before.toFixed(1)} ms | ${after.toFixed(1)} ms | ${(after / before).toFixed(2)} × |`;
    });
    return `A page of 50, median of ${ROUNDS}\n\n| | 50 rows | 5,000 configs, 100,000 of the others | |\n|---|--:|--:|--:|\n${rows.join('\n')}`;
  } finally {
    await database.remove();
  }
}
