import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { type ConnectedWorld, connectUrl, openConnectedWorld } from '../http/connection-setup.ts';
import { SERVERS } from '../http/rest-client.ts';
import { onServer, openTestDatabase } from '../setup/database.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { type SmallMcpServer, startModernServer, startSessionServer } from '../setup/mcp-servers.ts';
import { createReplica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';

let world: ConnectedWorld;
let modern: SmallMcpServer;
let old: SmallMcpServer;
/** Opens the database once more, as another process does. */
let open: () => Promise<Database>;
const databases: Database[] = [];

beforeAll(async () => {
  const url = onServer ? await createServerDatabase() : undefined;
  const embedded = url === undefined ? await openTestDatabase() : undefined;
  open = async () => {
    const database = url === undefined ? embedded : await openServerDatabase(url, { poolSize: 10 });
    if (database === undefined) throw new Error('no database');
    databases.push(database);
    return database;
  };
  const database = await open();
  [world, modern, old] = await Promise.all([
    openConnectedWorld({ database }),
    startModernServer(),
    startSessionServer(),
  ]);
});
afterAll(async () => {
  await world?.close();
  for (const database of new Set(databases)) await database.close();
  await Promise.all([modern?.close(), old?.close()]);
});

async function connect(configId: string, token = world.gateway.tokens.member): Promise<void> {
  const browser = await world.signIn(token);
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
  expect(page.status, page.text).toBe(200);
}

async function patch(configId: string, fields: Record<string, unknown>): Promise<void> {
  const response = await world.gateway.fetch(`${SERVERS}/${configId}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${world.gateway.tokens.admin}`, 'content-type': 'application/json' },
    body: JSON.stringify(fields),
  });
  expect(response.status, await response.text()).toBe(200);
}

const member = () => world.gateway.userIds.member;
const list = (configId: string, userId: string | null = member()) =>
  world.gateway.upstreamCalls.listTools({ configId, userId });
const call = (configId: string, name: string, args: Record<string, unknown> = {}, userId: string | null = member()) =>
  world.gateway.upstreamCalls.ask({ configId, userId }, { kind: 'tool', name, arguments: args });
const textOf = (outcome: Awaited<ReturnType<typeof call>>): string | undefined => {
  if (outcome.state !== 'ok') throw new Error(JSON.stringify(outcome));
  return (outcome.value.result['content'] as { text?: string }[])[0]?.text;
};

describe('a server that is protected by OAuth 2', () => {
  test('is called with the token of the user, who must connect first', async () => {
    const configId = await world.define();
    expect(await list(configId)).toEqual({ state: 'needs_connect' });
    expect(await list(configId, null)).toEqual({ state: 'needs_connect' });
    await connect(configId);
    expect(await list(configId)).toMatchObject({ state: 'ok', value: { server: { name: 'mcp-servers/everything' } } });
    expect(textOf(await call(configId, 'echo', { message: 'hi' }))).toBe('Echo: hi');
    expect(await list(configId, world.gateway.userIds.auditor)).toEqual({ state: 'needs_connect' });
  });

  test('gets a renewed token, once for all calls, when it rejects one', async () => {
    const configId = await world.define();
    await connect(configId);
    await call(configId, 'echo', { message: 'before' });
    const { accessTokens } = world.gateway;
    const token = await accessTokens.get({ userId: member(), configId });
    if (token.state !== 'ready') throw new Error(token.state);
    const before = world.as.tokenRequests('refresh_token').length;
    await world.as.expireToken(token.accessToken.expose());
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((message) => call(configId, 'echo', { message })));
    expect(outcomes.map(textOf)).toEqual(['Echo: a', 'Echo: b', 'Echo: c', 'Echo: d']);
    expect(world.as.tokenRequests('refresh_token').length).toBe(before + 1);
  });

  test('renews a token once in the middle of 100 calls of two replicas, and no call fails', async () => {
    const { gateway, as } = world;
    const replica = await createReplica(gateway, await open());
    try {
      const configId = await world.define();
      await connect(configId);
      const token = await gateway.accessTokens.get({ userId: member(), configId });
      if (token.state !== 'ready') throw new Error(token.state);
      const before = as.tokenRequests('refresh_token').length;
      let done = 0;
      const run = async (index: number): Promise<string | undefined> => {
        const { upstreamCalls } = index % 2 === 0 ? gateway : replica.gateway;
        const caller = { configId, userId: member() };
        const text = textOf(
          await upstreamCalls.ask(caller, { kind: 'tool', name: 'echo', arguments: { message: `${index}` } }),
        );
        done += 1;
        if (done === 20) await as.expireToken(token.accessToken.expose());
        return text;
      };
      const indexes = Array.from({ length: 100 }, (_, index) => index);
      expect(await Promise.all(indexes.map(run))).toEqual(indexes.map((index) => `Echo: ${index}`));
      expect(as.tokenRequests('refresh_token').length).toBe(before + 1);
    } finally {
      await replica.close();
    }
  });

  test('is renewed by one replica, while another that was rejected, too, waits for it', async () => {
    const { gateway, as, mcp } = world;
    const database = await open();
    const replica = await createReplica(gateway, database);
    try {
      const configId = await world.define();
      await connect(configId);
      const token = await gateway.accessTokens.get({ userId: member(), configId });
      if (token.state !== 'ready') throw new Error(token.state);
      const rejected = () => mcp.seenTokens.filter((seen) => seen === token.accessToken.expose()).length;
      const ask = async ({ upstreamCalls }: Pick<typeof gateway, 'upstreamCalls'>, message: string) => {
        const caller = { configId, userId: member() };
        return textOf(await upstreamCalls.ask(caller, { kind: 'tool', name: 'echo', arguments: { message } }));
      };
      await as.expireToken(token.accessToken.expose());
      const [before, seen] = [as.tokenRequests('refresh_token').length, rejected()];
      const held = as.holdNext(new URL(as.endpoints.token).pathname, 'request');
      const first = ask(gateway, 'first');
      await held.arrived;
      const second = ask(replica.gateway, 'second');
      await expect.poll(rejected).toBe(seen + 2);
      // Time for many times the statements that lead to a request of its own.
      for (let turn = 0; turn < 100; turn += 1) await database.query('SELECT 1');
      expect(as.tokenRequests('refresh_token').length).toBe(before + 1);
      held.release();
      expect(await Promise.all([first, second])).toEqual(['Echo: first', 'Echo: second']);
      expect(as.tokenRequests('refresh_token').length).toBe(before + 1);
    } finally {
      await replica.close();
    }
  });

  test('is left alone when the user is suspended, disconnects, or the server is switched off', async () => {
    const { gateway } = world;
    const configId = await world.define();
    const created = await gateway.graphql(`mutation { createUser(input: { email: "upstream@example.com" }) { id } }`, {
      token: gateway.tokens.admin,
    });
    const userId = created.data.createUser.id;
    const issued = await gateway.graphql(
      `mutation { createApiToken(input: { userId: "${userId}", name: "own" }) { token } }`,
      { token: gateway.tokens.admin },
    );
    await connect(configId, issued.data.createApiToken.token);
    await connect(configId);
    expect((await list(configId, userId)).state).toBe('ok');
    const seen = () => world.mcp.seenTokens.length;

    await gateway.graphql(`mutation { updateUser(id: "${userId}", patch: { status: SUSPENDED }) { id } }`, {
      token: gateway.tokens.admin,
    });
    let before = seen();
    await expect(list(configId, userId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(seen()).toBe(before);

    expect((await list(configId)).state).toBe('ok');
    await gateway.graphql(`mutation { disconnectMcpServer(id: "${configId}") { __typename } }`, {
      token: gateway.tokens.member,
    });
    before = seen();
    expect(await list(configId)).toEqual({ state: 'needs_connect' });

    await connect(configId);
    await patch(configId, { enabled: false });
    before = seen();
    expect(await list(configId)).toEqual({ state: 'disabled' });
    expect(seen()).toBe(before);
  });
});

describe('a server with a secret of the config', () => {
  test.each([
    [{ auth_type: 'api_key', api_key_header: 'X-API-Key', api_key_value: 'key "1"' }, { 'x-api-key': 'key "1"' }],
    [
      {
        auth_type: 'custom_headers',
        custom_headers: { 'X-Tenant': 'a=b', Authorization: 'Basic eA==' },
      },
      { 'x-tenant': 'a=b', authorization: 'Basic eA==' },
    ],
    [{ auth_type: 'none' }, {}],
  ])('sees it exactly as it is set: %j', async (fields, headers) => {
    const configId = await world.define({ url: modern.url, ...fields });
    expect((await list(configId, null)).state).toBe('ok');
    expect(modern.seen.at(-1)?.headers).toMatchObject(headers);
  });

  test('is never called at its new address with what was read for the old one', async () => {
    const configId = await world.define({
      url: modern.url,
      auth_type: 'api_key',
      api_key_header: 'X-API-Key',
      api_key_value: 'first',
    });
    await list(configId, null);
    await patch(configId, { url: old.url, api_key_value: 'second' });
    const before = modern.seen.length;
    await list(configId, null);
    expect(modern.seen.length).toBe(before);
    expect(old.seen.at(-1)?.headers['x-api-key']).toBe('second');
    expect(old.seen.some(({ headers }) => headers['x-api-key'] === 'first')).toBe(false);
  });

  test('loses its session as soon as it is switched off', async () => {
    const server = await startSessionServer();
    try {
      const configId = await world.define({ url: server.url, auth_type: 'none' });
      await call(configId, 'who', {}, null);
      expect(await server.connections()).toBeGreaterThan(0);
      await patch(configId, { enabled: false });
      await expect.poll(() => server.connections()).toBe(0);
      expect(await call(configId, 'who', {}, null)).toEqual({ state: 'disabled' });
    } finally {
      await server.close();
    }
  });
});
