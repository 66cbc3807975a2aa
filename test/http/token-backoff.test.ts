import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAuthorizationServer } from '../setup/authorization-server.ts';
import type { PlannedAnswer } from '../setup/authorization-server-traffic.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { startHandmadeServer } from '../setup/handmade-server.ts';
import { type ConnectedWorld, connectUrl, openConnectedWorld } from './connection-setup.ts';

const TOKEN_PATH = '/token';
const JSON_TYPE = { 'content-type': 'application/json' };
const FAILED = { code: 'UPSTREAM_FAILED' };

let world: ConnectedWorld;

beforeAll(async () => {
  world = await openConnectedWorld();
});
afterAll(() => world?.close());

/** The result for the member at a server. */
function get(configId: string, rejectedVersion?: number) {
  return world.gateway.accessTokens.get({ userId: world.gateway.userIds.member, configId, rejectedVersion });
}

/** Back to real time: the authorization server has no other clock, and its cookies are dated. */
async function authorize(configId: string): Promise<void> {
  world.gateway.clock.now = new Date();
  const browser = await world.signIn(world.gateway.tokens.member);
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
  expect(page.status, page.text).toBe(200);
}

/** A new server that the member is connected to, with this much of the token's life left. */
async function connect(leftMs: number): Promise<string> {
  const configId = await world.define();
  await authorize(configId);
  world.gateway.clock.advance(600_000 - leftMs);
  return configId;
}

async function readState(configId: string): Promise<{ viewerState: string; viewerStateReason: string | null }> {
  const query = `{ mcpServerConfig(id: "${configId}") { viewerState viewerStateReason } }`;
  const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.member });
  return data.mcpServerConfig;
}

/** How long the authorization server is not contacted from now on. */
async function readWaitMs(configId: string): Promise<number> {
  const sql = 'SELECT retry_at FROM mcp_server_user_tokens WHERE mcp_server_config_id = $1::uuid';
  const [row] = await world.gateway.database.query(sql, [configId]);
  return Number(row?.['retry_at']) - world.gateway.clock.now.getTime();
}

function refreshes(): number {
  return world.as.tokenRequests('refresh_token').length;
}

function refuse(status: number, body: object, headers: Record<string, string> = {}): PlannedAnswer {
  return { status, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) };
}

const HTML = { headers: { 'content-type': 'text/html' }, body: '<!doctype html><h1>Down for maintenance</h1>' };

// What other answers mean is in test/oauth/token-refusals.test.ts.
describe('a token endpoint that answers with', () => {
  test.each<[string, PlannedAnswer]>([
    ['429', refuse(429, { error: 'invalid_grant' }, { 'retry-after': '2' })],
    ['200 and a page', { status: 200, ...HTML }],
    ['200 and no token', refuse(200, { token_type: 'Bearer' })],
    ['200 and more than it may', { status: 200, headers: JSON_TYPE, body: JSON.stringify({ a: 'x'.repeat(300_000) }) }],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/token' } }],
    ['401 invalid_client', refuse(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic' })],
    ['400 invalid_scope', refuse(400, { error: 'invalid_scope' })],
    ['a lost connection', 'drop'],
  ])('%s: the token is kept, used while valid, and refreshed later', async (_what, answer) => {
    const configId = await connect(30_000);
    const first = await readToken(configId, answer);
    const before = refreshes();
    // No requests for now, whatever the token's state.
    expect(await get(configId)).toMatchObject({ state: 'ready', version: 1 });
    await expect(get(configId, 1)).rejects.toMatchObject(FAILED);
    world.gateway.clock.advance((await readWaitMs(configId)) - 1);
    expect(await get(configId)).toMatchObject({ state: 'ready', version: 1 });
    expect(refreshes()).toBe(before);
    world.gateway.clock.advance(1);
    const second = await get(configId);
    expect(second).toMatchObject({ state: 'ready', version: 2 });
    expect(refreshes()).toBe(before + 1);
    expect(second.state === 'ready' && second.accessToken.expose()).not.toBe(first);
  });

  /** The token that is returned although its refresh fails like this. */
  async function readToken(configId: string, answer: PlannedAnswer): Promise<string> {
    world.as.failNext(TOKEN_PATH, answer);
    const before = refreshes();
    const result = await get(configId);
    if (result.state !== 'ready') throw new Error(JSON.stringify(result));
    expect(refreshes()).toBe(before + 1);
    expect(await readState(configId)).toEqual({ viewerState: 'READY', viewerStateReason: null });
    expect(await world.as.isActive(result.accessToken.expose())).toBe(true);
    return result.accessToken.expose();
  }

  test('an error for an expired token is reported, and the connection stays', async () => {
    const configId = await connect(0);
    const before = refreshes();
    world.as.failNext(TOKEN_PATH, refuse(503, { error: 'down', error_description: 'text of the provider' }));
    const failure = await get(configId).catch((error: unknown) => error);
    expect(failure).toMatchObject(FAILED);
    expect(JSON.stringify(failure) + String(failure)).not.toContain('text of the provider');
    await expect(get(configId)).rejects.toMatchObject(FAILED);
    expect(refreshes()).toBe(before + 1);
    expect(await readState(configId)).toEqual({ viewerState: 'READY', viewerStateReason: null });
    world.gateway.clock.advance(await readWaitMs(configId));
    expect(await get(configId)).toMatchObject({ state: 'ready', version: 2 });
  });
});

describe('the backoff after a failure', () => {
  test('doubles each time, up to five minutes, and restarts after a success', async () => {
    const configId = await connect(0);
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      world.as.failNext(TOKEN_PATH, { status: 500 });
      await expect(get(configId)).rejects.toMatchObject(FAILED);
      const waitMs = await readWaitMs(configId);
      expect(waitMs).toBeGreaterThanOrEqual(seconds * 750);
      expect(waitMs).toBeLessThanOrEqual(seconds * 1_250);
      world.gateway.clock.advance(waitMs);
    }
    expect(await get(configId)).toMatchObject({ state: 'ready', version: 2 });
    world.as.failNext(TOKEN_PATH, { status: 500 });
    await expect(get(configId, 2)).rejects.toMatchObject(FAILED);
    expect(await readWaitMs(configId)).toBeLessThanOrEqual(1_250);
  });

  test.each([
    ['120', 120_000, 120_000],
    // Never sooner than without it.
    ['0', 750, 1_250],
    ['soon', 750, 1_250],
  ])('follows Retry-After: %s', async (retryAfter, leastMs, mostMs) => {
    const configId = await connect(0);
    world.as.failNext(TOKEN_PATH, { status: 429, headers: { 'retry-after': retryAfter } });
    await expect(get(configId)).rejects.toMatchObject(FAILED);
    const waitMs = await readWaitMs(configId);
    expect(waitMs).toBeGreaterThanOrEqual(leastMs);
    expect(waitMs).toBeLessThanOrEqual(mostMs);
  });
});

describe('400 invalid_grant', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['10,000 pictures', '\u{1f511}'.repeat(10_000)],
    ['control characters', 'a\u0000b\u001b[31mc\r\nSet-Cookie: d\u0085e\u202ef\u2066g\u200bh'],
  ])('with the description %s ends the connection with a short, safe reason', async (_what, description) => {
    const configId = await connect(30_000);
    world.as.failNext(TOKEN_PATH, refuse(400, { error: 'invalid_grant', error_description: description }));
    const result = await get(configId);
    expect(result).toEqual({ state: 'reconnect', reason: expect.stringContaining('connect again') });
    const { viewerState, viewerStateReason } = await readState(configId);
    expect(viewerState).toBe('RECONNECT');
    const reason = viewerStateReason ?? '';
    expect([...reason].length).toBeLessThanOrEqual(400);
    expect(reason).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u);
    expect(reason.isWellFormed()).toBe(true);
    const before = world.as.requests.length;
    expect(await get(configId)).toEqual(result);
    expect(await get(configId, 1)).toEqual(result);
    expect(world.as.requests.length).toBe(before);
  });

  test("shows the authorization server's reason to the user, and to nobody else", async () => {
    const configId = await connect(30_000);
    const answer = refuse(400, { error: 'invalid_grant', error_description: 'The password was changed.' });
    world.as.failNext(TOKEN_PATH, answer);
    await get(configId);
    expect((await readState(configId)).viewerStateReason).toContain('It said: The password was changed.');
    const query = `{ mcpServerConfig(id: "${configId}") { viewerState viewerStateReason connectedUserCount } }`;
    const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
    expect(data.mcpServerConfig).toEqual({
      viewerState: 'NEEDS_CONNECT',
      viewerStateReason: null,
      connectedUserCount: 0,
    });
  });
});

describe('a lost answer after the refresh token was used up', () => {
  test('makes the user reconnect at the next try, without further requests', async () => {
    const configId = await connect(30_000);
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const caller = get(configId);
    await hold.arrived;
    hold.drop();
    // Nobody knows that it was used up, and the stored token is valid for another half minute.
    expect(await caller).toMatchObject({ state: 'ready', version: 1 });
    expect(await readState(configId)).toEqual({ viewerState: 'READY', viewerStateReason: null });
    world.gateway.clock.advance(await readWaitMs(configId));
    const ended = await get(configId);
    expect(ended).toEqual({ state: 'reconnect', reason: expect.stringContaining('connect again') });
    const before = world.as.requests.length;
    for (let call = 0; call < 5; call += 1) expect(await get(configId)).toEqual(ended);
    expect(world.as.requests.length).toBe(before);
    expect(await readState(configId)).toMatchObject({ viewerState: 'RECONNECT' });
    await authorize(configId);
    expect(await readState(configId)).toEqual({ viewerState: 'READY', viewerStateReason: null });
    expect(await get(configId)).toMatchObject({ state: 'ready' });
  });
});

describe('callers who wait for one failing refresh', () => {
  /** Fails the next refresh once it is released. */
  function holdFailure() {
    world.as.failNext(TOKEN_PATH, { status: 503 });
    return world.as.holdNext(TOKEN_PATH);
  }

  test('get no token that expired while they waited', async () => {
    const configId = await connect(5_000);
    const hold = holdFailure();
    const caller = get(configId);
    await hold.arrived;
    world.gateway.clock.advance(6_000);
    hold.release();
    await expect(caller).rejects.toMatchObject(FAILED);
  });

  test.each([
    ['first', (configId: string) => [get(configId, 1), () => get(configId)] as const],
    ['second', (configId: string) => [get(configId), () => get(configId, 1)] as const],
  ])('each get a usable token if that of the %s was refused by the server', async (order, begin) => {
    const configId = await connect(30_000);
    const hold = holdFailure();
    const [first, startSecond] = begin(configId);
    await hold.arrived;
    const both = Promise.allSettled([first, startSecond()]);
    // What the second one reads before it waits.
    for (let read = 0; read < 20; read += 1) await readState(configId);
    hold.release();
    const [refused, good] = order === 'first' ? await both : (await both).reverse();
    expect(refused).toMatchObject({ status: 'rejected', reason: FAILED });
    expect(good).toMatchObject({ status: 'fulfilled', value: { state: 'ready', version: 1 } });
  });
});

test("a late refresh does not end the new connection, even if all of a user's tokens are one grant", async () => {
  const { as, mcp } = { as: await startAuthorizationServer({ sharesGrants: true }), mcp: await startHandmadeServer() };
  try {
    const url = `${mcp.url}/mcp`;
    as.addResource(url);
    const metadata = { resource: url, authorization_servers: [as.issuer] };
    mcp.onJson('/.well-known/oauth-protected-resource/mcp', metadata);
    const configId = await world.define({ url });
    const browser = await world.signIn(world.gateway.tokens.member);
    const authorizeAgain = async () => {
      world.gateway.clock.now = new Date();
      expect((await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL })).status).toBe(200);
    };
    await authorizeAgain();
    world.gateway.clock.advance(600_000);
    const hold = as.holdNext(TOKEN_PATH, 'answer');
    const caller = get(configId);
    await hold.arrived;
    await authorizeAgain();
    hold.release();
    const result = await caller;
    await world.gateway.settle();
    expect(result.state === 'ready' && (await as.isActive(result.accessToken.expose()))).toBe(true);
  } finally {
    await mcp.close();
    await as.close();
  }
});
