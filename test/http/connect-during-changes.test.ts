import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { createId } from '../graphql/config-operations.ts';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { SERVERS } from './rest-client.ts';

let gateway: TestGateway;
let opened: Database;
/** Runs once before each statement that reads a secret. */
let beforeSecret: (() => Promise<unknown>) | undefined;

beforeAll(async () => {
  opened = await openTestDatabase();
  gateway = await createTestGateway({ database: withHook(opened) });
});
afterAll(async () => {
  await gateway?.close();
  await opened?.close();
});

function withHook(database: Database): Database {
  const { adapterFactory } = database;
  const { provider, adapterName } = adapterFactory;
  const connect = async () => {
    const adapter = await adapterFactory.connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      if (query.sql.startsWith('SELECT') && query.sql.includes('"oauth2_client_secret"')) await beforeSecret?.();
      return queryRaw(query);
    };
    return adapter;
  };
  return { ...database, adapterFactory: { provider, adapterName, connect } };
}

const define = (slug: string) =>
  createId(gateway, {
    slug,
    authType: 'OAUTH2',
    oauth2ClientId: 'client-0',
    oauth2ClientSecret: 'secret',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
    enabled: true,
  });
const connect = (configId: string) =>
  gateway.fetch(`${SERVERS}/${configId}/oauth2/connect`, {
    headers: { authorization: `Bearer ${gateway.tokens.member}` },
  });

/** Changes the client each time its secret is about to be read, so many times. */
function changeBeforeSecret(configId: string, times: number): void {
  let changed = 0;
  beforeSecret = async () => {
    if (changed === times) return;
    changed += 1;
    const sql = 'UPDATE mcp_server_configs SET oauth2_client_id = $1, version = version + 1 WHERE id = $2::uuid';
    await opened.query(sql, [`client-${changed}`, configId]);
  };
}

test('a browser whose server changes while its secret is read is redirected as the server is then', async () => {
  const configId = await define('changing');
  changeBeforeSecret(configId, 2);
  const answer = await connect(configId);
  expect(answer.status).toBe(307);
  expect(new URL(answer.headers.get('location') ?? '').searchParams.get('client_id')).toBe('client-2');
});

test('one whose server changes all the time is told so', async () => {
  const configId = await define('restless');
  changeBeforeSecret(configId, Number.POSITIVE_INFINITY);
  const answer = await connect(configId);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('The settings of this server changed during the sign-in; connect again.');
});
