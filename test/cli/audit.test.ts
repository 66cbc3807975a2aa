import { test } from 'vitest';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { findTestServer } from '../setup/find-server.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { makePlace, stop } from '../setup/place.ts';

const serverUrl = await findTestServer();

const CREATE = 'mutation { createUser(input: { email: "ada@example.com" }) { id } }';

test.concurrent("the embedded database's log can be verified with and without a running gateway", async ({
  expect,
  onTestFinished,
}) => {
  const { serve, run, ask } = await makePlace({ atEnd: onTestFinished });
  const gateway = await serve();
  await ask(CREATE, { headers: { 'x-forwarded-for': '203.0.113.5' } });
  const { auditLog } = await ask('{ auditLog { nodes { id action address } } }');
  // No trusted proxies here: the socket's own address counts.
  expect(auditLog.nodes[0]).toMatchObject({ action: 'USER_CREATE', address: '127.0.0.1' });
  const count = auditLog.nodes.length;
  const running = await run('audit', 'verify');
  expect(running).toMatchObject({ code: 0, output: expect.stringContaining('A gateway is using') });
  expect(running.output).toContain(`${count} entries verified: none was changed.`);
  expect(running.output).toMatch(new RegExp(`Latest entry: ${auditLog.nodes[0].id}, hash [0-9a-f]{64}\\.`));
  await stop(gateway);
  const alone = await run('audit', 'verify');
  expect(alone).toMatchObject({ code: 0, output: expect.stringContaining('entries verified: none was changed') });
  expect(alone.output).not.toContain('A gateway is using');
});

test
  .runIf(serverUrl !== undefined)
  .concurrent(
    'on a server an altered entry is found while a gateway behind proxies runs',
    async ({ expect, onTestFinished }) => {
      const own = await createOwnDatabase(serverUrl ?? '');
      onTestFinished(own.drop);
      const { serve, run, ask } = await makePlace({
        atEnd: onTestFinished,
        env: {
          DATABASE_URL: own.url,
          GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
          GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1/32',
        },
      });
      const gateway = await serve();
      await ask(CREATE, { headers: { 'x-forwarded-for': '198.51.100.1, 203.0.113.5' } });
      const { auditLog } = await ask('{ auditLog(first: 1) { nodes { action address } } }');
      expect(auditLog.nodes).toEqual([{ action: 'USER_CREATE', address: '203.0.113.5' }]);
      expect((await run('audit', 'verify')).code).toBe(0);
      const database = await openServerDatabase(own.url, { poolSize: 1 });
      onTestFinished(database.close);
      await database.query('ALTER TABLE audit_entries DISABLE TRIGGER USER');
      const [row] = await database.query(
        "UPDATE audit_entries SET address = '203.0.113.6' WHERE action = 'user.create' RETURNING seq::text AS seq",
      );
      await database.query('ALTER TABLE audit_entries ENABLE TRIGGER USER');
      expect(await run('audit', 'verify')).toMatchObject({
        code: 1,
        output: expect.stringContaining(`The audit log is broken at entry ${row?.['seq']}: The entry was modified.`),
      });
      await database.query('ALTER TABLE audit_chain DISABLE TRIGGER USER');
      await database.query('DELETE FROM audit_chain');
      const lost = await run('audit', 'verify');
      expect(lost).toMatchObject({
        code: 1,
        output: expect.stringContaining('The audit log is lost: The row of audit_chain'),
      });
      expect(lost.output).not.toMatch(/^ +at /m);
      await stop(gateway);
    },
  );
