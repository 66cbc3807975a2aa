import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { onServer } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { newChat, readChat } from './chat-operations.ts';
import { createId } from './config-operations.ts';

let gateway: TestGateway;
let database: Database;
let holder: pg.Client;
beforeAll(async () => {
  if (!onServer) return;
  const url = await createServerDatabase();
  database = await openServerDatabase(url, { poolSize: 10 });
  gateway = await createTestGateway({ database });
  holder = new pg.Client({ connectionString: url });
  await holder.connect();
});
afterAll(async () => {
  await holder?.end();
  await gateway?.close();
  await database?.close();
});

test.runIf(onServer)('a server deleted while a chat is created with it is not in the chat', async () => {
  const id = await createId(gateway, { enabled: true });
  const waitFor = async (count: number) => {
    const sql = `SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await database.query(sql))[0]?.['count'] !== count);
  };
  // Writers of an audit entry block here, with their change made but not committed.
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM audit_chain FOR UPDATE');
  const begun = newChat(gateway, 'member', { mcpServerIds: [id] });
  await waitFor(1);
  const deletion = gateway.graphql(`mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`, {
    token: gateway.tokens.admin,
  });
  await waitFor(2);
  await holder.query('COMMIT');
  expect((await deletion).errors).toBeUndefined();
  const chat = await begun;
  expect((await readChat(gateway, 'member', chat.id)).mcpServerIds).toEqual([]);
});
