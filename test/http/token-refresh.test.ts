// On both databases: the lease between concurrent callers.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import { rotateValues } from '../../src/data/keys/key-rotation.ts';
import { createStore } from '../../src/data/store.ts';
import { createAccessTokens } from '../../src/domain/connections/access-tokens.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { promoteNewKey } from '../data/key-rotation-setup.ts';
import { onMainDatabase, onServer } from '../setup/database.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { type ConnectedWorld, callbackUrl, connectUrl, openConnectedWorld } from './connection-setup.ts';
import { SERVERS } from './rest-client.ts';

const TOKEN_PATH = '/token';
const REVOCATION_PATH = '/token/revocation';

let world: ConnectedWorld;
/** A second gateway over the same database. */
let replica: Gateway;

beforeAll(async () => {
  world = await openConnectedWorld();
  const { config, database, keyring, clock, tokens } = world.gateway;
  replica = await createGateway({
    listsInBackground: false,
    config,
    database,
    keyring,
    adminToken: new Secret(tokens.bootstrap),
    log: createLogger('silent'),
    now: () => clock.now,
  });
});
afterAll(async () => {
  await replica?.close();
  await world?.close();
});

interface Ready {
  token: string;
  version: number;
  expiresAt: Date;
}

/** The member's token at a server, from one of the gateways. */
async function get(
  configId: string,
  options: { rejectedVersion?: number; from?: Pick<Gateway, 'accessTokens'>; userId?: string } = {},
): Promise<Ready> {
  const { from = world.gateway, userId = world.gateway.userIds.member, rejectedVersion } = options;
  const result = await from.accessTokens.get({ userId, configId, rejectedVersion });
  if (result.state !== 'ready') throw new Error(JSON.stringify(result));
  const { accessToken, version, expiresAt } = result;
  return { token: accessToken.expose(), version, expiresAt: expiresAt ?? new Date(Number.NaN) };
}

interface Member {
  configId: string;
  userId: string;
  token: string;
}

/** The result of `get` without a token. */
async function getState(configId: string, userId = world.gateway.userIds.member) {
  return world.gateway.accessTokens.get({ userId, configId });
}

/** Back to real time: the authorization server has no other clock, and its cookies are dated. */
async function authorize(configId: string, token = world.gateway.tokens.member): Promise<void> {
  world.gateway.clock.now = new Date();
  const browser = await world.signIn(token);
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
  expect(page.status, page.text).toBe(200);
}

/** A new server that the member is connected to. */
async function connect(): Promise<{ configId: string; first: Ready }> {
  const configId = await world.define();
  await authorize(configId);
  return { configId, first: await get(configId) };
}

/** Advances time until this much of a token's life is left. */
function leave(ms: number, { expiresAt }: Ready): void {
  world.gateway.clock.now = new Date(expiresAt.getTime() - ms);
}

function refreshes(): number {
  return world.as.tokenRequests('refresh_token').length;
}

/** Tokens that the authorization server was asked to revoke, in order. */
function revokedSince(count: number): string[] {
  const seen = world.as.requests.slice(count).filter(({ path }) => path === REVOCATION_PATH);
  return seen.map(({ form }) => form?.get('token') ?? '');
}

async function admin(query: string) {
  const answer = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

async function readState(configId: string, token = world.gateway.tokens.member) {
  const query = `{ mcpServerConfig(id: "${configId}") { viewerState viewerStateReason } }`;
  const { data } = await world.gateway.graphql(query, { token });
  return data.mcpServerConfig;
}

describe.runIf(onMainDatabase)('an access token', () => {
  test('is returned as is while valid for more than 90 seconds, and refreshed in its last minute', async () => {
    const { configId, first } = await connect();
    const before = refreshes();
    leave(90_001, first);
    expect(await get(configId)).toEqual(first);
    expect(refreshes()).toBe(before);
    leave(60_000, first);
    const second = await get(configId);
    expect(second.version).toBe(first.version + 1);
    expect(second.token).not.toBe(first.token);
    expect(second.expiresAt.getTime()).toBe(world.gateway.clock.now.getTime() + 600_000);
    expect(await world.as.isActive(second.token)).toBe(true);
    expect(refreshes()).toBe(before + 1);
  });

  test('is due up to half a minute earlier, at random', async () => {
    const { configId, first } = await connect();
    const { secrets, clock, userIds } = world.gateway;
    const store = createStore(world.gateway.prisma());
    const isDue = async (random: number, leftMs: number): Promise<boolean> => {
      let isAsked = false;
      const run = async () => {
        isAsked = true;
        return 'busy' as const;
      };
      const options = { store, secrets, refresh: { run }, now: () => clock.now, random: () => random, maxWaitMs: -1 };
      leave(leftMs, first);
      await createAccessTokens(options).get({ userId: userIds.member, configId });
      return isAsked;
    };
    for (const [random, dueMs] of [
      [0, 60_000],
      [0.5, 75_000],
      [0.999, 89_970],
    ] as const) {
      expect({ random, due: await isDue(random, dueMs), before: await isDue(random, dueMs + 1) }).toEqual({
        random,
        due: true,
        before: false,
      });
    }
  });

  test('with a life of one minute is refreshed in its second half, and not on each call', async () => {
    const { configId, first } = await connect();
    plan({ access_token: 'short-1', refresh_token: 'r1', expires_in: 60 });
    const short = await get(configId, { rejectedVersion: first.version });
    const before = refreshes();
    for (const leftMs of [60_000, 45_000, 30_001]) {
      leave(leftMs, short);
      expect(await get(configId)).toEqual(short);
    }
    expect(refreshes()).toBe(before);
    plan({ access_token: 'short-2', refresh_token: 'r2', expires_in: 60 });
    leave(30_000, short);
    expect(await get(configId)).toMatchObject({ token: 'short-2' });
    expect(await get(configId)).toMatchObject({ token: 'short-2' });
    expect(refreshes()).toBe(before + 1);
  });

  test('without an expiry is used until the server refuses it', async () => {
    const { configId, first } = await connect();
    plan({ access_token: 'endless', refresh_token: 'r1' });
    await get(configId, { rejectedVersion: first.version });
    const before = refreshes();
    world.gateway.clock.advance(24 * 3_600_000);
    expect(await get(configId)).toMatchObject({ token: 'endless', version: 2 });
    expect(refreshes()).toBe(before);
  });

  test('that the server refused is replaced once, however often its version is reported', async () => {
    const { configId, first } = await connect();
    const before = refreshes();
    const rejectedVersion = first.version;
    const all = await Promise.all(Array.from({ length: 20 }, () => get(configId, { rejectedVersion })));
    expect(new Set(all.map(({ token }) => token)).size).toBe(1);
    expect(all[0]).toMatchObject({ version: first.version + 1 });
    expect(await get(configId, { rejectedVersion })).toEqual(all[0]);
    expect(refreshes()).toBe(before + 1);
  });

  test('is still refreshed if earlier answers had no new refresh token', async () => {
    const { configId, first } = await connect();
    plan({ access_token: 'second', expires_in: 600 });
    const second = await get(configId, { rejectedVersion: first.version });
    plan({ access_token: 'third', refresh_token: null, expires_in: 600 });
    const third = await get(configId, { rejectedVersion: second.version });
    const fourth = await get(configId, { rejectedVersion: third.version });
    expect(await world.as.isActive(fourth.token)).toBe(true);
    const sent = world.as.tokenRequests('refresh_token').slice(-3);
    expect(new Set(sent.map(({ form }) => form?.get('refresh_token'))).size).toBe(1);
  });
});

/** Sets the token endpoint's answer to the next request. */
function plan(answer: Record<string, unknown>): void {
  const body = JSON.stringify({ token_type: 'Bearer', ...answer });
  world.as.failNext(TOKEN_PATH, { status: 200, headers: { 'content-type': 'application/json' }, body });
}

describe('many callers', () => {
  test('at the same time make one token request, and all get its token', async () => {
    const { configId, first } = await connect();
    const before = refreshes();
    leave(0, first);
    const all = await Promise.all(Array.from({ length: 50 }, () => get(configId)));
    expect(new Set(all.map(({ token, version }) => `${version} ${token}`)).size).toBe(1);
    expect(all[0]?.token).not.toBe(first.token);
    expect(refreshes()).toBe(before + 1);
  });

  test("at two gateways make one token request, and the second gateway gets the first one's token", async () => {
    const { configId, first } = await connect();
    const before = refreshes();
    leave(0, first);
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const winner = get(configId);
    await hold.arrived;
    const losers = Array.from({ length: 50 }, (_, index) =>
      get(configId, { from: index % 2 === 0 ? replica : world.gateway }),
    );
    // What a loser reads before it would send its own request.
    for (let read = 0; read < 20; read += 1) await readState(configId);
    expect(refreshes()).toBe(before + 1);
    hold.release();
    const second = await winner;
    expect(second.version).toBe(first.version + 1);
    for (const loser of await Promise.all(losers)) expect(loser).toEqual(second);
    expect(refreshes()).toBe(before + 1);
    expect(await world.as.isActive(second.token)).toBe(true);
  });
});

describe('while a token is being renewed', () => {
  test('nothing else waits for it, and no transaction is open', async () => {
    const { configId, first } = await connect();
    leave(0, first);
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const caller = get(configId);
    await hold.arrived;
    expect(await readState(configId)).toMatchObject({ viewerState: 'READY' });
    await admin(`mutation { updateMcpServerConfig(id: "${configId}", patch: { description: "new" }) { id } }`);
    if (onServer) {
      // The gateway reads changes in between, in a moment.
      const sql = `SELECT state, query FROM pg_stat_activity WHERE datname = current_database()
                   AND pid <> pg_backend_pid() AND xact_start IS NOT NULL`;
      await expect.poll(() => world.gateway.database.query(sql)).toEqual([]);
    }
    hold.release();
    expect(await caller).toMatchObject({ version: first.version + 1 });
  });

  test('master keys can be changed', async () => {
    const { configId, first } = await connect();
    const { keyring } = world.gateway;
    const prisma = world.gateway.prisma();
    leave(0, first);
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const caller = get(configId);
    await hold.arrived;
    const former = await promoteNewKey({ prisma, keyring });
    expect(await rotateValues(prisma, keyring)).toMatchObject({ remaining: 0, failures: [] });
    keyring.remove(former);
    hold.release();
    const second = await caller;
    expect(second.version).toBe(first.version + 1);
    const third = await get(configId, { rejectedVersion: second.version });
    expect(await world.as.isActive(third.token)).toBe(true);
  });

  const ENDINGS: [what: string, remove: (member: Member) => Promise<unknown>][] = [
    [
      'disconnects',
      ({ configId, token }: Member) => {
        const headers = { authorization: `Bearer ${token}` };
        return world.gateway.fetch(`${SERVERS}/${configId}/oauth2/disconnect`, { method: 'DELETE', headers });
      },
    ],
    [
      'is disconnected by an admin',
      ({ configId, userId }: Member) =>
        admin(`mutation { removeMcpServerUserTokens(id: "${configId}", userId: "${userId}") { removedCount } }`),
    ],
    [
      'is disconnected with all others',
      ({ configId }: Member) => admin(`mutation { removeMcpServerUserTokens(id: "${configId}") { removedCount } }`),
    ],
    [
      'loses the server',
      ({ configId }: Member) => admin(`mutation { deleteMcpServerConfig(id: "${configId}") { deletedId } }`),
    ],
    [
      'has the server moved to another client',
      ({ configId }: Member) =>
        admin(`mutation { updateMcpServerConfig(id: "${configId}", patch: { oauth2ClientId: "other" }) { id } }`),
    ],
    ['is deleted', ({ userId }: Member) => admin(`mutation { deleteUser(id: "${userId}") { deletedId } }`)],
  ];
  // One shows that each database forgets it. What the others do is the same on both.
  const endings = ENDINGS.slice(0, onMainDatabase ? undefined : 1);

  test.each(endings)('and the user %s, the new token is not stored but revoked', async (what, remove) => {
    const email = `${what.replaceAll(' ', '-')}@example.com`;
    const user = await admin(`mutation { createUser(input: { email: "${email}", role: MEMBER }) { id } }`);
    const userId: string = user.createUser.id;
    const made = await admin(`mutation { createApiToken(input: { userId: "${userId}", name: "it" }) { token } }`);
    const token: string = made.createApiToken.token;
    const configId = await world.define();
    await authorize(configId, token);
    const first = await get(configId, { userId });
    const before = world.as.requests.length;
    leave(0, first);
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const caller = getState(configId, userId);
    await hold.arrived;
    await remove({ configId, userId, token });
    hold.release();
    expect(await caller).toEqual({ state: 'needs_connect' });
    await world.gateway.settle();
    const sql = 'SELECT id FROM mcp_server_user_tokens WHERE mcp_server_config_id = $1::uuid';
    expect(await world.gateway.database.query(sql, [configId])).toEqual([]);
    // What was stored, and what arrived too late.
    const revoked = revokedSince(before);
    expect(new Set(revoked).size).toBe(4);
    expect(revoked).toContain(first.token);
    for (const each of revoked) expect(await world.as.isActive(each)).toBe(false);
  });

  test.runIf(onMainDatabase)('and the user reconnects, the new connection stays', async () => {
    const { configId, first } = await connect();
    const before = { refreshes: refreshes(), requests: world.as.requests.length };
    leave(0, first);
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const caller = get(configId);
    await hold.arrived;
    await authorize(configId);
    const connected = await get(configId);
    hold.release();
    expect(await caller).toEqual(connected);
    await world.gateway.settle();
    expect(await get(configId)).toEqual(connected);
    expect(await world.as.isActive(connected.token)).toBe(true);
    expect(refreshes()).toBe(before.refreshes + 1);
    expect(revokedSince(before.requests)).not.toContain(connected.token);
  });
});

describe.runIf(onMainDatabase)('while a token is being renewed, the user disconnects and reconnects', () => {
  async function disconnect(configId: string): Promise<void> {
    const url = `${SERVERS}/${configId}/oauth2/disconnect`;
    const headers = { authorization: `Bearer ${world.gateway.tokens.member}` };
    expect((await world.gateway.fetch(url, { method: 'DELETE', headers })).status).toBe(204);
  }

  test('and the new token is not touched', async () => {
    const { configId, first } = await connect();
    const before = refreshes();
    leave(0, first);
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const caller = get(configId);
    await hold.arrived;
    await disconnect(configId);
    await authorize(configId);
    const connected = await get(configId);
    hold.release();
    expect(await caller).toEqual(connected);
    expect(refreshes()).toBe(before + 1);
  });

  test("after an admin changed the client: the new connection survives the old client's answer", async () => {
    const configId = await world.define();
    const changeClient = async () => {
      const clientId = await world.as.addClient({ redirectUris: [callbackUrl(configId)] });
      const fields = `oauth2ClientId: "${clientId}", oauth2ClientSecret: null`;
      await admin(`mutation { updateMcpServerConfig(id: "${configId}", patch: { ${fields} }) { id } }`);
      await authorize(configId);
      return get(configId);
    };
    leave(0, await changeClient());
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const caller = getState(configId);
    await hold.arrived;
    const connected = await changeClient();
    hold.release();
    expect(await caller).toMatchObject({ state: 'ready' });
    expect(await readState(configId)).toMatchObject({ viewerState: 'READY' });
    expect(await world.as.isActive(connected.token)).toBe(true);
  });
});
