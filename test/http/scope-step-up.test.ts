import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPrisma } from '../../src/data/database/prisma.ts';
import { onServer } from '../setup/database.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import type { UserAgent } from '../setup/user-agent.ts';
import { type ConnectedWorld, callbackUrl, connectUrl, openConnectedWorld } from './connection-setup.ts';

const ASKS_FOR_MORE = 'The server asks for more permissions: connect again to grant them.';

let world: ConnectedWorld;
let configId: string;

beforeAll(async () => {
  world = await openConnectedWorld();
  world.as.addResource(world.mcp.url, ['read', 'write', 'delete', 'share', 'admin']);
});
afterAll(() => world?.close());

beforeEach(async () => {
  configId = await world.define({ oauth2_scopes: 'read' });
});

/** A browser at the authorization server, about to return, and the requested scopes. */
async function leaveAtProvider(token = world.gateway.tokens.member) {
  const browser = await world.signIn(token);
  const stopBefore = (url: URL) => url.href.startsWith(callbackUrl(configId));
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL, stopBefore });
  return { browser, callback: page.headers.get('location') ?? '', scopes: readAskedScopes(browser) };
}

function readAskedScopes({ history }: UserAgent): string[] {
  const request = history.find(({ url }) => url.startsWith(world.as.endpoints.authorization));
  return new URL(request?.url ?? '').searchParams.get('scope')?.split(' ') ?? [];
}

/** Connects a user. @returns the requested scopes */
async function connect(token = world.gateway.tokens.member): Promise<string[]> {
  const { browser, callback, scopes } = await leaveAtProvider(token);
  const page = await browser.navigate(callback, { from: world.as.issuer });
  expect(page.status, page.text).toBe(200);
  return scopes;
}

/** What the proxy does when a server answers `insufficient_scope`. */
function challenge(...scopes: string[]): Promise<string> {
  return world.gateway.requireScopes({ userId: world.gateway.userIds.member, configId, scopes });
}

async function getToken(rejectedVersion?: number) {
  const userId = world.gateway.userIds.member;
  const result = await world.gateway.accessTokens.get({ userId, configId, rejectedVersion });
  if (result.state !== 'ready') throw new Error(result.state);
  const token = result.accessToken.expose();
  return { token, version: result.version, scopes: (await world.as.introspect(token)).scope?.split(' ') };
}

async function readState(token = world.gateway.tokens.member) {
  const query = `{ mcpServerConfig(id: "${configId}") { viewerState viewerStateReason } }`;
  return (await world.gateway.graphql(query, { token })).data.mcpServerConfig;
}

async function disconnect(): Promise<void> {
  const query = `mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked } }`;
  const { errors } = await world.gateway.graphql(query, { token: world.gateway.tokens.member });
  expect(errors).toBeUndefined();
}

describe('a server that asks for more scopes', () => {
  test('gets them with the next connect, in addition to the previous ones; until then the token is used', async () => {
    expect(await connect()).toEqual(['read']);
    const first = await getToken();
    expect(first.scopes).toEqual(['read']);
    expect(await challenge('write')).toBe('needs_connect');
    expect(await getToken()).toEqual(first);
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: ASKS_FOR_MORE });
    expect(await connect()).toEqual(['read', 'write']);
    expect((await getToken()).scopes).toEqual(['read', 'write']);
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: null });
    // Scopes are never reduced again.
    expect(await connect()).toEqual(['read', 'write']);
  });

  test('again before the user connects gets all of them', async () => {
    await connect();
    expect(await challenge('write')).toBe('needs_connect');
    expect(await challenge('delete', 'write', 'read')).toBe('needs_connect');
    expect(await connect()).toEqual(['read', 'write', 'delete']);
  });

  test('is remembered when the token is refreshed', async () => {
    await connect();
    await challenge('write');
    const { version } = await getToken();
    expect(await getToken(version)).toMatchObject({ version: version + 1, scopes: ['read'] });
    expect(await readState()).toMatchObject({ viewerStateReason: ASKS_FOR_MORE });
    expect(await connect()).toEqual(['read', 'write']);
  });

  test('does not affect other users', async () => {
    const { admin } = world.gateway.tokens;
    await connect();
    await connect(admin);
    await challenge('write');
    expect(await readState(admin)).toEqual({ viewerState: 'READY', viewerStateReason: null });
    expect(await connect(admin)).toEqual(['read']);
  });

  test('of a user who is not connected gets them with the first connect', async () => {
    expect(await challenge('write')).toBe('needs_connect');
    expect(await readState()).toEqual({ viewerState: 'NEEDS_CONNECT', viewerStateReason: null });
    expect(await connect()).toEqual(['read', 'write']);
  });

  test('that the token already has is refused: reconnecting would change nothing', async () => {
    await connect();
    expect(await challenge('read')).toBe('refused');
    expect(await challenge()).toBe('refused');
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: null });
    expect(await connect()).toEqual(['read']);
  });

  test('that were requested and not granted is refused', async () => {
    await connect();
    expect(await challenge('unknown')).toBe('needs_connect');
    expect(await connect()).toEqual(['read', 'unknown']);
    expect((await getToken()).scopes).toEqual(['read']);
    expect(await challenge('unknown')).toBe('refused');
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: null });
    // Other scopes are still possible.
    expect(await challenge('unknown', 'write')).toBe('needs_connect');
    expect(await connect()).toEqual(['read', 'unknown', 'write']);
  });

  test('is answered three times, and refused afterwards', async () => {
    await connect();
    const asked = ['read'];
    for (const scope of ['write', 'delete', 'share']) {
      expect(await challenge(scope)).toBe('needs_connect');
      asked.push(scope);
      expect(await connect()).toEqual(asked);
    }
    expect(await challenge('admin')).toBe('refused');
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: null });
    expect(await connect()).toEqual(asked);
    expect((await getToken()).scopes).toEqual(asked);
    expect(await challenge('admin')).toBe('refused');

    // Disconnecting resets the count.
    await disconnect();
    expect(await connect()).toEqual(['read']);
    expect(await challenge('admin')).toBe('needs_connect');
    expect(await connect()).toEqual(['read', 'admin']);
  });

  test('counts one round for a connect, however often it asked before', async () => {
    await connect();
    for (let times = 0; times < 5; times += 1) expect(await challenge('write')).toBe('needs_connect');
    await connect();
    expect(await challenge('delete')).toBe('needs_connect');
    await connect();
    expect(await challenge('share')).toBe('needs_connect');
  });

  test('also gets scopes that the admin adds in between', async () => {
    await connect();
    await challenge('write');
    const query = `mutation { updateMcpServerConfig(id: "${configId}", patch: { oauth2Scopes: ["read", "share"] }) { id } }`;
    await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
    expect(new Set(await connect())).toEqual(new Set(['read', 'share', 'write']));
  });

  test('with two concurrent answers gets what both ask for', async () => {
    await connect();
    expect(await Promise.all([challenge('write'), challenge('delete')])).toEqual(['needs_connect', 'needs_connect']);
    expect(new Set(await connect())).toEqual(new Set(['read', 'write', 'delete']));
  });

  test('while the user connects is applied by the next connect', async () => {
    await connect();
    await challenge('write');
    const { browser, callback } = await leaveAtProvider();
    expect(await challenge('delete')).toBe('needs_connect');
    expect((await browser.navigate(callback, { from: world.as.issuer })).status).toBe(200);
    expect(await readState()).toEqual({ viewerState: 'READY', viewerStateReason: ASKS_FOR_MORE });
    expect(await connect()).toEqual(['read', 'write', 'delete']);
  });

  test('with ever new scopes cannot grow a request without limit', async () => {
    await connect();
    for (let times = 0; times < 20; times += 1) {
      await challenge(...Array.from({ length: 100 }, (_, index) => `${times}-${index}-`.padEnd(128, 'x')));
    }
    const headers = { authorization: `Bearer ${world.gateway.tokens.member}` };
    const { status, headers: answer } = await world.gateway.fetch(connectUrl(configId), { headers });
    expect(status).toBe(307);
    expect(answer.get('location')?.length).toBeLessThan(32_768);
  });

  test.runIf(onServer)('at the moment of a refresh is remembered', async () => {
    await connect();
    const { database, keyring } = world.gateway;
    const prisma = createPrisma(database, keyring);
    const waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    const [challenged] = await prisma.$transaction(async (tx) => {
      // What a refresh writes; committed when the challenge has read and waits to write.
      await tx.mcpServerUserToken.updateMany({
        where: { mcpServerConfigId: configId },
        data: { version: { increment: 1 } },
      });
      const pending = challenge('write');
      while ((await database.query(waiting)).length === 0);
      return [pending];
    });
    await prisma.$disconnect();
    expect(await challenged).toBe('needs_connect');
    expect(await connect()).toEqual(['read', 'write']);
  });
});
