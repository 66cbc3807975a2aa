import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrisma } from '../../src/data/database/prisma.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { newMasterKey } from '../data/encryption-setup.ts';
import type { PlannedAnswer, SeenRequest } from '../setup/authorization-server-traffic.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { type HandmadeServer, startHandmadeServer } from '../setup/handmade-server.ts';
import type { UserAgent } from '../setup/user-agent.ts';
import { type ConnectedWorld, callbackUrl, connectUrl, openConnectedWorld } from './connection-setup.ts';
import { SERVERS } from './rest-client.ts';

const TOKEN_PATH = '/token';
const REVOCATION_PATH = '/token/revocation';
const SECRET = 'the-former-secret';

let world: ConnectedWorld;
/** Where a server and its authorization server might move. Nothing of a connection may be sent here. */
let elsewhere: HandmadeServer;

beforeAll(async () => {
  world = await openConnectedWorld();
  elsewhere = await startHandmadeServer();
});
afterAll(async () => {
  await elsewhere?.close();
  await world?.close();
});

interface User {
  userId: string;
  token: string;
}

/** A server with settings from an admin, for a manually registered client. */
async function defineGiven(fields: Record<string, unknown> = {}, secret: string | null = SECRET) {
  const { as, mcp } = world;
  const { authorization, token, revocation } = as.endpoints;
  const configId = await world.define({
    url: mcp.url,
    oauth2_client_id: 'not yet',
    ...(secret !== null && { oauth2_client_secret: secret }),
    oauth2_auth_url: authorization,
    oauth2_token_url: token,
    oauth2_revocation_url: revocation,
    ...fields,
  });
  const clientId = await as.addClient({
    redirectUris: [callbackUrl(configId)],
    ...(secret !== null && { secret }),
  });
  await patch(configId, `oauth2ClientId: "${clientId}"`);
  return { configId, clientId };
}

async function connect(configId: string, { userId, token }: User = member()): Promise<string> {
  const browser = await world.signIn(token);
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
  expect(page.status, page.text).toBe(200);
  const result = await world.gateway.accessTokens.get({ userId, configId });
  if (result.state !== 'ready') throw new Error(result.state);
  return result.accessToken.expose();
}

function member(): User {
  return { userId: world.gateway.userIds.member, token: world.gateway.tokens.member };
}

async function createUser(): Promise<User> {
  const email = `${randomUUID()}@example.com`;
  const { createUser: user } = await ask(`mutation { createUser(input: { email: "${email}", role: MEMBER }) { id } }`);
  const made = await ask(`mutation { createApiToken(input: { userId: "${user.id}", name: "it" }) { token } }`);
  return { userId: user.id, token: made.createApiToken.token };
}

async function ask(query: string, token = world.gateway.tokens.admin) {
  const answer = await world.gateway.graphql(query, { token });
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

async function disconnect(configId: string, token = member().token) {
  const query = `mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked revocationError } }`;
  return (await ask(query, token)).disconnectMcpServer;
}

async function removeTokens(configId: string, userId?: string): Promise<number> {
  const whose = userId === undefined ? '' : `, userId: "${userId}"`;
  const data = await ask(`mutation { removeMcpServerUserTokens(id: "${configId}"${whose}) { removedCount } }`);
  return data.removeMcpServerUserTokens.removedCount;
}

const deleteServer = (id: string) => ask(`mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`);

const patch = (id: string, fields: string) =>
  ask(`mutation { updateMcpServerConfig(id: "${id}", patch: { ${fields} }) { id } }`);

async function readState(configId: string): Promise<string> {
  const { mcpServerConfig } = await ask(`{ mcpServerConfig(id: "${configId}") { viewerState } }`, member().token);
  return mcpServerConfig.viewerState;
}

async function countRows(configId: string): Promise<number> {
  const sql = 'SELECT id FROM mcp_server_user_tokens WHERE mcp_server_config_id = $1::uuid';
  return (await world.gateway.database.query(sql, [configId])).length;
}

function revocations(): SeenRequest[] {
  return world.as.requests.filter(({ path }) => path === REVOCATION_PATH);
}

function hints(requests: readonly SeenRequest[]) {
  return requests.map(({ form }) => form?.get('token_type_hint'));
}

const basic = (clientId: string, secret: string) => `Basic ${btoa(`${clientId}:${secret}`)}`;

describe('a connection ends, and its tokens are revoked at their issuer, when', () => {
  const resent = 'oauth2ClientSecret: "another-secret"';
  test.each<[string, (configId: string, user: User) => Promise<unknown>]>([
    [
      'its user disconnects by REST',
      async (configId, { token }) => {
        const init = { method: 'DELETE', headers: { authorization: `Bearer ${token}` } };
        const { status } = await world.gateway.fetch(`${SERVERS}/${configId}/oauth2/disconnect`, init);
        expect(status).toBe(204);
      },
    ],
    [
      'its user disconnects by GraphQL',
      async (configId, { token }) => {
        expect(await disconnect(configId, token)).toEqual({ tokenRevoked: true, revocationError: null });
      },
    ],
    ["an admin removes the user's tokens", async (id, { userId }) => expect(await removeTokens(id, userId)).toBe(1)],
    ["an admin removes everybody's tokens", async (id) => expect(await removeTokens(id)).toBe(1)],
    ['the user is deleted', (_, { userId }) => ask(`mutation { deleteUser(id: "${userId}") { deletedId } }`)],
    ['the server is deleted', deleteServer],
    ['the server moves to another origin', (id) => patch(id, `url: "${elsewhere.url}/mcp", ${resent}`)],
    ['the server changes its auth type', (id) => patch(id, 'authType: NONE')],
    ['another issuer is named', (id) => patch(id, `oauth2Issuer: "${elsewhere.url}", ${resent}`)],
    ['another token URL is named', (id) => patch(id, `oauth2TokenUrl: "${elsewhere.url}/token", ${resent}`)],
    ['another client is named', (id) => patch(id, `oauth2ClientId: "other", ${resent}`)],
    [
      'tokens would be revoked at another origin',
      (id) => patch(id, `oauth2RevocationUrl: "${elsewhere.url}/revoke", ${resent}`),
    ],
  ])('%s', async (_what, end) => {
    const { configId, clientId } = await defineGiven();
    const user = await createUser();
    const accessToken = await connect(configId, user);
    const before = revocations().length;
    await end(configId, user);
    expect(await countRows(configId)).toBe(0);
    await world.gateway.settle();
    const seen = revocations().slice(before);
    expect(hints(seen)).toEqual(['refresh_token', 'access_token']);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      basic(clientId, SECRET),
      basic(clientId, SECRET),
    ]);
    expect(seen[1]?.form?.get('token')).toBe(accessToken);
    for (const { form } of seen) expect(await world.as.isActive(form?.get('token') ?? '')).toBe(false);
    expect(elsewhere.requests.filter(({ body }) => body !== '')).toEqual([]);
  });

  test('an admin removes one user, and nobody else', async () => {
    const { configId } = await defineGiven();
    const [one, other] = [await createUser(), await createUser()];
    const [ended, kept] = [await connect(configId, one), await connect(configId, other)];
    await removeTokens(configId, one.userId);
    await world.gateway.settle();
    expect([await world.as.isActive(ended), await world.as.isActive(kept)]).toEqual([false, true]);
    expect(await countRows(configId)).toBe(1);
  });

  test("a user is deleted: at all servers, and no other user's", async () => {
    const [first, second] = [await defineGiven(), await defineGiven()];
    const [one, other] = [await createUser(), await createUser()];
    const ended = [await connect(first.configId, one), await connect(second.configId, one)];
    const kept = await connect(second.configId, other);
    await ask(`mutation { deleteUser(id: "${one.userId}") { deletedId } }`);
    await world.gateway.settle();
    expect(await Promise.all([...ended, kept].map((each) => world.as.isActive(each)))).toEqual([false, false, true]);
  });
});

test("a change of a server's name, path, scopes, authorization URL or switch ends no connection", async () => {
  const { configId } = await defineGiven();
  const accessToken = await connect(configId);
  const before = revocations().length;
  for (const fields of [
    'displayName: "Renamed", description: "New"',
    `url: "${world.mcp.url}?v=2"`,
    'oauth2Scopes: ["mcp:tools"]',
    'oauth2AuthUrl: "https://login.example.com/authorize"',
    `oauth2ClientSecret: "${SECRET}"`,
    'enabled: false',
  ]) {
    await patch(configId, fields);
    await world.gateway.settle();
    expect([await countRows(configId), revocations().length], fields).toEqual([1, before]);
  }
  expect(await world.as.isActive(accessToken)).toBe(true);
});

describe('a revocation', () => {
  test('by a public client sends the client id and no secret', async () => {
    const { configId, clientId } = await defineGiven({}, null);
    const accessToken = await connect(configId);
    expect(await disconnect(configId)).toEqual({ tokenRevoked: true, revocationError: null });
    const seen = revocations().slice(-2);
    expect(hints(seen)).toEqual(['refresh_token', 'access_token']);
    for (const { headers, form } of seen) {
      expect(headers.authorization).toBeUndefined();
      expect(form?.get('client_id')).toBe(clientId);
      expect(form?.has('client_secret')).toBe(false);
    }
    expect(await world.as.isActive(accessToken)).toBe(false);
  });

  test('is tried with the secret in the body if the header is refused', async () => {
    const { configId, clientId } = await defineGiven();
    const accessToken = await connect(configId);
    const refusal = {
      status: 401,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"invalid_client"}',
    };
    world.as.failNext(REVOCATION_PATH, refusal);
    expect(await disconnect(configId)).toEqual({ tokenRevoked: true, revocationError: null });
    const [byHeader, byBody] = revocations().slice(-3);
    expect(byHeader?.headers.authorization).toBe(basic(clientId, SECRET));
    expect(byBody?.headers.authorization).toBeUndefined();
    expect(byBody?.form?.get('client_secret')).toBe(SECRET);
    expect(byBody?.form?.get('token')).toBe(byHeader?.form?.get('token'));
    expect(await world.as.isActive(accessToken)).toBe(false);
  });

  let shared: string | undefined;
  const page = { headers: { 'content-type': 'text/html' }, body: '<p>text of the provider</p>' };
  const json = { 'content-type': 'application/json' };
  test.each<[string, PlannedAnswer]>([
    ['403 and a page', { status: 403, ...page }],
    ['500 and a page', { status: 500, ...page }],
    ['429', { status: 429, headers: { 'retry-after': '60' } }],
    ['400', { status: 400, headers: json, body: '{"error":"x","error_description":"text of the provider"}' }],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/' } }],
    ['a lost connection', 'drop'],
  ])('answered with %s is reported in our own words, and the connection ends anyway', async (_, answer) => {
    shared ??= (await defineGiven()).configId;
    const configId = shared;
    await connect(configId);
    world.as.failNext(REVOCATION_PATH, answer);
    const outcome = await disconnect(configId);
    expect(outcome).toEqual({ tokenRevoked: false, revocationError: expect.stringContaining('did not confirm') });
    expect(JSON.stringify(outcome)).not.toContain('text of the provider');
    expect(await readState(configId)).toBe('NEEDS_CONNECT');
  });

  test('of an access token is tried even if that of the refresh token is refused', async () => {
    const { configId } = await defineGiven();
    const accessToken = await connect(configId);
    world.as.failNext(REVOCATION_PATH, { status: 400, headers: json, body: '{"error":"unsupported_token_type"}' });
    expect(await disconnect(configId)).toMatchObject({ tokenRevoked: false });
    expect(await world.as.isActive(accessToken)).toBe(false);
  });

  test('without an endpoint is not tried', async () => {
    const { configId } = await defineGiven({ oauth2_revocation_url: '' });
    await connect(configId);
    const before = world.as.requests.length;
    expect(await disconnect(configId)).toEqual({
      tokenRevoked: false,
      revocationError: expect.stringContaining('does not support revocation'),
    });
    expect(world.as.requests.length).toBe(before);
    expect(await disconnect(configId)).toEqual({ tokenRevoked: false, revocationError: null });
  });

  test("uses the endpoint from the issuer's metadata if none is configured", async () => {
    const { configId } = await defineGiven({ oauth2_revocation_url: '', oauth2_issuer: world.as.issuer });
    const accessToken = await connect(configId);
    expect(await disconnect(configId)).toEqual({ tokenRevoked: true, revocationError: null });
    expect(await world.as.isActive(accessToken)).toBe(false);
  });

  test('comes after the connection is deleted, and disconnecting waits for it', async () => {
    const { configId } = await defineGiven();
    await connect(configId);
    const hold = world.as.holdNext(REVOCATION_PATH);
    let isAnswered = false;
    const ending = disconnect(configId).finally(() => {
      isAnswered = true;
    });
    await hold.arrived;
    expect(await countRows(configId)).toBe(0);
    expect(await readState(configId)).toBe('NEEDS_CONNECT');
    const { userId } = member();
    expect(await world.gateway.accessTokens.get({ userId, configId })).toEqual({ state: 'needs_connect' });
    expect(isAnswered).toBe(false);
    hold.release();
    expect(await ending).toEqual({ tokenRevoked: true, revocationError: null });
  });

  test.each([
    ['removes tokens', removeTokens],
    ['deletes a server', deleteServer],
    ['changes the client', (id: string) => patch(id, 'oauth2ClientId: "other"')],
  ])('does not delay an admin who %s', async (_what, end: (id: string) => Promise<unknown>) => {
    const { configId } = await defineGiven();
    const accessToken = await connect(configId);
    const hold = world.as.holdNext(REVOCATION_PATH);
    await end(configId);
    let isSettled = false;
    const settled = world.gateway.settle().finally(() => {
      isSettled = true;
    });
    await hold.arrived;
    expect(await countRows(configId)).toBe(0);
    expect([await world.as.isActive(accessToken), isSettled]).toEqual([true, false]);
    hold.release();
    await settled;
    expect(await world.as.isActive(accessToken)).toBe(false);
  });
});

describe('a pending sign-in', () => {
  async function leaveAtProvider(configId: string): Promise<{ browser: UserAgent; callback: string }> {
    const browser = await world.signIn(member().token);
    const stopBefore = (url: URL) => url.href.startsWith(callbackUrl(configId));
    const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL, stopBefore });
    return { browser, callback: page.headers.get('location') ?? '' };
  }

  test.each<[string, number, (configId: string) => Promise<unknown>]>([
    ['the user disconnects', 400, (id) => disconnect(id)],
    ["the user's tokens are removed", 400, (id) => removeTokens(id, member().userId)],
    ["everybody's tokens are removed", 400, (id) => removeTokens(id)],
    ['the client is changed', 400, (id) => patch(id, 'oauth2ClientId: "other"')],
    ['the server is deleted', 404, deleteServer],
  ])('cannot be finished after %s', async (_what, status, end) => {
    const { configId } = await defineGiven();
    const { browser, callback } = await leaveAtProvider(configId);
    const before = world.as.tokenRequests().length;
    await end(configId);
    const page = await browser.navigate(callback, { from: world.as.issuer });
    expect(page.status).toBe(status);
    expect(await countRows(configId)).toBe(0);
    expect(world.as.tokenRequests().length).toBe(before);
  });

  test("of another user can be finished after one user's connection ends", async () => {
    const { configId } = await defineGiven();
    const { browser, callback } = await leaveAtProvider(configId);
    await disconnect(configId, (await createUser()).token);
    expect((await browser.navigate(callback, { from: world.as.issuer })).status).toBe(200);
  });

  test.each<[string, number, (configId: string) => Promise<unknown>]>([
    ['the client is changed', 400, (id) => patch(id, 'oauth2ClientId: "other"')],
    ['the server is switched off', 400, (id) => patch(id, 'enabled: false')],
    ['the user disconnects', 400, (id) => disconnect(id)],
    ["everybody's tokens are removed", 400, (id) => removeTokens(id)],
  ])('stores nothing and revokes its tokens when %s while the code is redeemed', async (_what, status, end) => {
    const { configId } = await defineGiven();
    const before = revocations().length;
    const { browser, callback } = await leaveAtProvider(configId);
    const hold = world.as.holdNext(TOKEN_PATH, 'answer');
    const page = browser.navigate(callback, { from: world.as.issuer });
    await hold.arrived;
    await end(configId);
    hold.release();
    expect((await page).status).toBe(status);
    await world.gateway.settle();
    expect(await countRows(configId)).toBe(0);
    expect(hints(revocations().slice(before))).toEqual(['refresh_token', 'access_token']);
  });
});

// Last: afterwards no stored value can be decrypted.
test('a connection whose tokens cannot be decrypted is still ended', async () => {
  const { database, keyring } = world.gateway;
  const { configId } = await defineGiven({}, null);
  await connect(configId);
  const former = keyring.active.digest;
  const next = newMasterKey();
  keyring.add(next);
  const prisma = createPrisma(database, keyring);
  await registerKeys(prisma, keyring);
  await prisma.$disconnect();
  keyring.promote(next.digest);
  keyring.remove(former);
  expect(await readState(configId)).toBe('UNAVAILABLE');
  expect(await disconnect(configId)).toEqual({
    tokenRevoked: false,
    revocationError: expect.stringContaining('cannot be decrypted'),
  });
  expect(await readState(configId)).toBe('NEEDS_CONNECT');
});
