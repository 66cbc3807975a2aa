import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { findTestServer } from '../setup/find-server.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { findFreePort, makeFolder, type RunningCommand, startCommand } from '../setup/process.ts';

const serverUrl = await findTestServer();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function makePlace(env: Record<string, string> = {}) {
  const { folder: cwd, remove } = await makeFolder();
  cleanups.push(remove);
  const adminToken = randomBytes(24).toString('base64url');
  const port = await findFreePort();
  const all = { PORT: String(port), GATEHOUSE_ADMIN_TOKEN: adminToken, ...env };
  const start = (...args: string[]): RunningCommand => {
    const command = startCommand(args, { cwd, env: all });
    cleanups.push(async () => {
      command.child.kill('SIGKILL');
      await command.exit;
    });
    return command;
  };
  return {
    start,
    async serve() {
      const gateway = start('serve');
      await gateway.waitFor('Gatehouse listens on');
      return gateway;
    },
    async verify() {
      const command = start('audit', 'verify');
      return { code: await command.exit, output: command.output() };
    },
    async ask(query: string, headers: Record<string, string> = {}) {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query }),
      });
      return ((await response.json()) as { data: any }).data;
    },
  };
}

const CREATE = 'mutation { createUser(input: { email: "ada@example.com" }) { id } }';

test("the embedded database's log can be verified with and without a running gateway", async () => {
  const { serve, verify, ask } = await makePlace();
  const gateway = await serve();
  await ask(CREATE, { 'x-forwarded-for': '203.0.113.5' });
  const { auditLog } = await ask('{ auditLog { nodes { id action address } } }');
  // No trusted proxies here: the socket's own address counts.
  expect(auditLog.nodes[0]).toMatchObject({ action: 'USER_CREATE', address: '127.0.0.1' });
  const count = auditLog.nodes.length;
  const running = await verify();
  expect(running).toMatchObject({ code: 0, output: expect.stringContaining('A gateway is using') });
  expect(running.output).toContain(`${count} entries verified: none was changed.`);
  expect(running.output).toMatch(new RegExp(`Latest entry: ${auditLog.nodes[0].id}, hash [0-9a-f]{64}\\.`));
  gateway.child.kill('SIGTERM');
  expect(await gateway.exit).toBe(0);
  const alone = await verify();
  expect(alone).toMatchObject({ code: 0, output: expect.stringContaining('entries verified: none was changed') });
  expect(alone.output).not.toContain('A gateway is using');
}, 180_000);

test.runIf(serverUrl !== undefined)(
  'on a server an altered entry is found while a gateway behind proxies runs',
  async () => {
    const own = await createOwnDatabase(serverUrl ?? '');
    cleanups.push(own.drop);
    const { serve, verify, ask } = await makePlace({
      DATABASE_URL: own.url,
      GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
      GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1/32',
    });
    const gateway = await serve();
    await ask(CREATE, { 'x-forwarded-for': '198.51.100.1, 203.0.113.5' });
    const { auditLog } = await ask('{ auditLog(first: 1) { nodes { action address } } }');
    expect(auditLog.nodes).toEqual([{ action: 'USER_CREATE', address: '203.0.113.5' }]);
    expect((await verify()).code).toBe(0);
    const database = await openServerDatabase(own.url, { poolSize: 1 });
    try {
      await database.query('ALTER TABLE audit_entries DISABLE TRIGGER USER');
      const [row] = await database.query(
        "UPDATE audit_entries SET address = '203.0.113.6' WHERE action = 'user.create' RETURNING seq::text AS seq",
      );
      await database.query('ALTER TABLE audit_entries ENABLE TRIGGER USER');
      expect(await verify()).toMatchObject({
        code: 1,
        output: expect.stringContaining(`The audit log is broken at entry ${row?.['seq']}: The entry was modified.`),
      });
    } finally {
      await database.close();
    }
    gateway.child.kill('SIGTERM');
    expect(await gateway.exit).toBe(0);
  },
  180_000,
);
