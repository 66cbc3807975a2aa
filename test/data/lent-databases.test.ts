import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { createId } from '../graphql/config-operations.ts';
import { makeTemplate, onServer } from '../setup/database.ts';
import { createTestGateway } from '../setup/gateway.ts';

/** The rows of every table, and which database it is. */
async function readAll(database: Database) {
  const [{ name } = { name: '' }] = await database.query('SELECT current_database()::text AS name');
  const tables = await database.query(
    `SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  const rows: Record<string, unknown> = {};
  for (const table of tables) {
    rows[String(table['name'])] = await database.query(`SELECT t::text AS row FROM ${table['name']} t ORDER BY 1`);
  }
  return { name, rows };
}

const USER = `INSERT INTO users (id, email, role, status, created_at, updated_at)
  VALUES (gen_random_uuid(), $1, 'member', 'active', now(), now())`;

/** Opens a copy of a template that has rows in many tables. */
let open: () => Promise<Database>;

beforeAll(async () => {
  if (!onServer) return;
  const { openCopy } = await makeTemplate(async (database) => {
    const gateway = await createTestGateway({ database });
    await createId(gateway, { authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: 'k', toolDenyList: ['a', 'b'] });
    await gateway.graphql('mutation { createChat(input: { title: "Chat" }) { id } }', { token: gateway.tokens.member });
    await gateway.close();
  });
  open = openCopy;
});

test.runIf(onServer)('a database of a test is used again, as it was', async ({ skip }) => {
  const one = await open();
  const [role] = await one.query('SELECT rolsuper AS "isSuperuser" FROM pg_roles WHERE rolname = current_user');
  if (role?.['isSuperuser'] !== true) {
    await one.close();
    skip('only a superuser can restore a database');
  }
  const before = await readAll(one);
  expect(Object.values(before.rows).filter((rows) => (rows as unknown[]).length > 0).length).toBeGreaterThan(8);
  await one.query(USER, ['second@example.com']);
  await one.query(`UPDATE users SET role = 'admin'`);
  await one.query('UPDATE feed_counter SET n = n + 7');
  expect(await readAll(one)).not.toEqual(before);
  await one.close();

  const two = await open();
  // The first one is used again only when it has been given back.
  const three = await open();
  expect(await readAll(two)).toEqual(before);
  const other = await readAll(three);
  expect(other.rows).toEqual(before.rows);
  expect(other.name).not.toBe(before.name);
  await two.close();
  await three.close();
});

test.runIf(onServer).each([
  ['a column', 'ALTER TABLE users ADD COLUMN nickname TEXT'],
  [
    'a constraint that is gone again',
    'ALTER TABLE users ADD CONSTRAINT no CHECK (true)',
    'ALTER TABLE users DROP CONSTRAINT no',
  ],
  ['a trigger that is off', 'ALTER TABLE audit_entries DISABLE TRIGGER USER'],
  ['a table', 'CREATE TABLE notes (id INT)'],
  ['a table that is gone', 'DROP TABLE sessions'],
  ['a setting', `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END $$`],
  [
    'many rows',
    `INSERT INTO users (id, email, role, status, created_at, updated_at)
    SELECT gen_random_uuid(), n || '@example.com', 'member', 'active', now(), now() FROM generate_series(1, 60000) n`,
  ],
])('it is not used again after a change of more than rows: %s', async (_name, ...statements) => {
  const one = await open();
  const before = await readAll(one);
  for (const statement of statements) await one.query(statement);
  await one.close();
  const two = await open();
  const after = await readAll(two);
  expect(after.rows).toEqual(before.rows);
  expect(after.name).not.toBe(before.name);
  await two.close();
});
