import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { tokenColumns } from '../data/encryption-setup.ts';
import { onServer } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { SERVER_URL } from '../setup/sealed-text.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { HEADER, KEY, SECRET, secretsWith, TRACES } from './canaries.ts';
import { withPrisma } from './encryption-key-rows.ts';
import { uniqueSlug } from './root-fields.ts';

const CREATE = 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }';
const UPDATE =
  'mutation ($id: UUID!, $patch: UpdateMcpServerConfigInput!) { updateMcpServerConfig(id: $id, patch: $patch) { id } }';

/** A slug is not a secret: if it is not found, the search itself does not work. */
const slug = uniqueSlug();
let databaseUrl: string;
let database: Database;
let gateway: TestGateway;
const answers: string[] = [];
/** Position of the write-ahead log before anything was written. */
let logStart: unknown;

async function send(query: string, variables?: unknown) {
  const answer = await gateway.graphql(query, { token: gateway.tokens.admin, variables });
  answers.push(JSON.stringify(answer));
  return answer;
}

beforeAll(async () => {
  if (!onServer) return;
  databaseUrl = await createServerDatabase();
  database = await openServerDatabase(databaseUrl);
  logStart = await readLogPosition();
  gateway = await createTestGateway({ database });
  const input = { displayName: slug, slug, url: 'https://mcp.example.com/', ...secretsWith((canary) => canary) };
  const { data } = await send(CREATE, { input });
  const id = data.createMcpServerConfig.id;
  await send(UPDATE, { id, patch: secretsWith((canary) => `again ${canary}`) });
  await send(UPDATE, { id, patch: { ...secretsWith((canary) => canary), slug: '-' } });
  await send(CREATE, { input });
  // What the OAuth flow writes.
  const tokens = { userId: gateway.userIds.member, mcpServerConfigId: id, ...tokenColumns(SECRET, KEY) };
  await withPrisma(gateway, (prisma) => prisma.mcpServerUserToken.create({ data: tokens }));
  await send('mutation { addEncryptionKey { number } }');
  await send('mutation { rotateEncryptionKeys { resealed } }');
  await send('mutation { verifyEncryptedValues { checked failureCount } }');
  await gateway.database.query('UPDATE mcp_server_configs SET custom_headers = api_key_value');
  await expect(gateway.secrets.open(id, 'customHeaders', [SERVER_URL])).rejects.toThrow();
  expect((await gateway.secrets.open(id, 'apiKeyValue', [SERVER_URL]))?.expose()).toBe(`again ${KEY}`);
});
afterAll(async () => {
  await gateway?.close();
  await database?.close();
});

function expectOnlyTheSlug(text: string): void {
  expect(text.includes(slug)).toBe(true);
  for (const trace of TRACES) expect(text.includes(trace), trace).toBe(false);
}

test('the values were stored', { skip: !onServer }, () => {
  expect(answers.some((answer) => answer.includes('"resealed":5'))).toBe(true);
  expect(answers.some((answer) => answer.includes('VALIDATION_FAILED'))).toBe(true);
  expect(answers.some((answer) => answer.includes('CONFLICT'))).toBe(true);
  expect([SECRET, KEY, HEADER].every((canary) => TRACES.includes(canary))).toBe(true);
});

const hasDump = spawnSync('pg_dump', ['--version']).status === 0;
if (onServer && !hasDump) console.log('Skipped: the search of a dump (it needs pg_dump).');

test.runIf(onServer && hasDump)('a dump of the database has no secret', () => {
  expectOnlyTheSlug(execFileSync('pg_dump', [databaseUrl], { encoding: 'utf8', maxBuffer: 2 ** 28 }));
});

test.runIf(onServer)('the write-ahead log has no secret', async ({ skip }) => {
  const [role] = await database.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
  skip(role?.['rolsuper'] !== true, 'only a superuser may read the write-ahead log');
  const logEnd = await readLogPosition();
  const isIn = async (text: string) => {
    const rows = await database.query(
      `SELECT 1 FROM pg_ls_waldir()
        WHERE name BETWEEN pg_walfile_name($2::pg_lsn) AND pg_walfile_name($3::pg_lsn)
          AND position(convert_to($1, 'UTF8') IN pg_read_binary_file('pg_wal/' || name)) > 0`,
      [text, logStart, logEnd],
    );
    return rows.length > 0;
  };
  expect(await isIn(slug)).toBe(true);
  for (const canary of [SECRET, KEY, HEADER]) expect(await isIn(canary)).toBe(false);
});

test.runIf(onServer)('answers, log and metrics have no secret', async () => {
  const metrics = await (await gateway.fetch('/metrics')).text();
  expectOnlyTheSlug(`${answers.join('\n')}\n${gateway.logs()}\n${metrics}`);
});

async function readLogPosition(): Promise<unknown> {
  const [row] = await database.query('SELECT pg_current_wal_insert_lsn()::text AS position');
  return row?.['position'];
}
