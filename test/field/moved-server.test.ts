import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MOVED_REASON } from '../../src/domain/connections/server-moves.ts';
import { openEvents } from '../graphql/sse-client.ts';
import { openSession } from '../http/browser-session.ts';
import { GIVEN, type HostileProvider, startHostileProvider } from '../setup/hostile-provider.ts';
import { type FieldWorld, json, openFieldWorld } from './connection-world.ts';

// An MCP server whose metadata names another authorization server than when its settings were discovered. Until an admin
// cleared the settings, users were sent to the old one. The scenario authorization-server-migration of the official client
// suite; MCP 2026-07-28, "Authorization Server Binding".

let world: FieldWorld;
let other: HostileProvider;
let configId: string;
let adminSession: string;

const FIRST = { client_id: 'client-of-the-first', client_secret: 'secret-of-the-first' };
const SECOND = { client_id: 'client-of-the-second', client_secret: 'secret-of-the-second' };
const OLD_SECRETS = [GIVEN.accessToken, GIVEN.refreshToken, FIRST.client_secret, FIRST.client_id];
const UNKNOWN = { oauth2_client_id: '', oauth2_client_secret: undefined, oauth2_auth_url: '', oauth2_token_url: '' };
const DISCOVERED = { ...UNKNOWN, oauth2_revocation_url: '' };

beforeAll(async () => {
  world = await openFieldWorld({ GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' });
  other = await startHostileProvider();
  adminSession = await openSession(world.gateway, world.gateway.tokens.admin);
});
afterAll(async () => {
  await world?.close();
  await other?.close();
});
beforeEach(async () => {
  world.provider.reset();
  other.reset();
  world.provider.answer('registration', json(FIRST, 201));
  other.answer('registration', json(SECOND, 201));
  configId = await world.define(DISCOVERED);
});

/** Connects a user at the authorization server that they are sent to. */
async function connect(session = world.session, id = configId): Promise<string> {
  const begun = await world.begin(id, session);
  const to = begun.authorizationUrl.origin === other.origin ? other : world.provider;
  const answer = { ...begun.answer, iss: to.issuer };
  const page = await world.bring(begun, { cookies: [session, begun.cookie], answer });
  expect(page.status, page.text).toBe(200);
  return to.issuer;
}

/** The issuer whose page a browser is sent to. */
async function begin(id = configId): Promise<string> {
  const { authorizationUrl } = await world.begin(id, world.session);
  return authorizationUrl.origin === other.origin ? other.issuer : world.provider.issuer;
}

function move(...issuers: string[]): void {
  world.provider.spoilResource({ authorization_servers: issuers });
}

async function readConfig(id = configId) {
  const query = `{ mcpServerConfig(id: "${id}") { version oauth2ClientId oauth2Issuer oauth2TokenUrl hasOAuth2Secret } }`;
  const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
  return data.mcpServerConfig;
}

async function readHistory(
  id = configId,
): Promise<{ action: string; reason: string | null; actorId: string | null }[]> {
  const query = `{ mcpServerConfigHistory(id: "${id}") { nodes { action reason actorId } } }`;
  const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
  return data.mcpServerConfigHistory.nodes;
}

/** Everything that the other authorization server received. */
function readLeaked(): string[] {
  const seen = JSON.stringify(other.requestsTo('token').concat(other.requestsTo('revocation'))).concat(
    JSON.stringify(other.requestsTo('registration')),
    JSON.stringify(other.requestsTo('metadata')),
  );
  const shown = seen + atobAll(seen);
  return OLD_SECRETS.filter((secret) => shown.includes(secret));
}

/** The contents of Basic credentials. */
function atobAll(text: string): string {
  return [...text.matchAll(/Basic ([A-Za-z0-9+/=]+)/g)].map(([, credentials = '']) => atob(credentials)).join(' ');
}

describe('a server with discovered settings that names another authorization server', () => {
  test('is followed at the next connect, and the connections to the old one end with a reason', async () => {
    await connect();
    await connect(adminSession);
    const { admin } = world.gateway.tokens;
    const { data } = await world.gateway.graphql('{ mcpServerConfigs(first: 1) { feedCursor } }', { token: admin });
    const events = await openEvents(world.gateway, admin, { after: data.mcpServerConfigs.feedCursor });
    move(other.issuer);
    expect(await begin()).toBe(other.issuer);
    expect(await readConfig()).toMatchObject({
      oauth2ClientId: SECOND.client_id,
      oauth2Issuer: other.issuer,
      oauth2TokenUrl: `${other.origin}/token`,
      hasOAuth2Secret: true,
    });
    expect(await world.readState(configId)).toEqual({
      viewerState: 'RECONNECT',
      viewerStateReason: MOVED_REASON,
      authConnected: false,
    });
    // Admins hear of it.
    const event = await events.next();
    expect(event).toMatchObject({ type: 'MODIFIED', configId });
    expect(event?.changedFields).toEqual(expect.arrayContaining(['oauth2Issuer', 'oauth2TokenUrl', 'oauth2ClientId']));
    await events.close();
    expect(await readHistory()).toContainEqual({
      action: 'MCP_SERVER_CONFIG_UPDATE',
      actorId: null,
      reason: 'The MCP server names another authorization server. 2 connections ended.',
    });
    // Old tokens are revoked where they were issued, and nothing of the old server reaches the new one.
    await world.gateway.settle();
    const revoked = world.provider.formsTo('revocation').map((form) => form.get('token'));
    expect(revoked.sort()).toEqual([GIVEN.accessToken, GIVEN.accessToken, GIVEN.refreshToken, GIVEN.refreshToken]);
    expect(readLeaked()).toEqual([]);

    other.spoilToken({ access_token: 'access-of-the-second', refresh_token: 'refresh-of-the-second' });
    expect(await connect()).toBe(other.issuer);
    expect(await world.get(configId, 1)).toMatchObject({ state: 'ready' });
    expect(readLeaked()).toEqual([]);
    expect(await world.gateway.accessTokens.get({ userId: world.gateway.userIds.admin, configId })).toMatchObject({
      state: 'reconnect',
    });
  });

  test('is followed once, however many users connect at the same time', async () => {
    const { session } = await world.enlist();
    move(other.issuer);
    const begun = await Promise.all([world.session, adminSession, session].map((each) => world.begin(configId, each)));
    expect(new Set(begun.map(({ authorizationUrl }) => authorizationUrl.origin))).toEqual(new Set([other.origin]));
    expect(other.requestsTo('registration')).toHaveLength(1);
    expect((await readHistory()).filter(({ action }) => action === 'MCP_SERVER_CONFIG_UPDATE')).toHaveLength(1);
  });

  test('does not get the code of a sign-in that was started before', async () => {
    const begun = await world.begin(configId, world.session);
    move(other.issuer);
    await begin();
    const answer = { ...begun.answer, iss: world.provider.issuer };
    const page = await world.bring(begun, { cookies: [world.session, begun.cookie], answer });
    expect(page.status).toBe(400);
    expect(other.requestsTo('token')).toEqual([]);
    expect(world.provider.requestsTo('token')).toEqual([]);
  });

  test('is not followed as long as it also names the one in use', async () => {
    await connect();
    move(other.issuer, world.provider.issuer);
    expect(await begin()).toBe(world.provider.issuer);
    expect(other.log()).toEqual([]);
  });

  test('is followed at most once an hour, so that to and fro does not end connections each time', async () => {
    move(other.issuer);
    await connect();
    move(world.provider.issuer);
    expect(await begin()).toBe(other.issuer);
    expect(await world.readState(configId)).toMatchObject({ viewerState: 'READY' });
    world.gateway.clock.advance(3_600_000);
    expect(await begin()).toBe(world.provider.issuer);
    expect(await world.readState(configId)).toMatchObject({ viewerState: 'RECONNECT' });
  });
});

describe('everything stays as it was', () => {
  const FAILURES: readonly [string, () => void][] = [
    ['the other server does not register the gateway', () => other.answer('registration', json({}, 403))],
    ['the other server has no metadata', () => other.answer('metadata', json({}, 404))],
    ['the metadata is of another issuer', () => other.spoilMetadata({ issuer: 'https://another.example' })],
    ['the other server does not support PKCE', () => other.spoilMetadata({ code_challenge_methods_supported: [] })],
    ['the other server may not be called', () => move('https://10.0.0.1/as')],
    ['the other issuer is not a URL', () => move('not a URL')],
    [
      'the metadata of the MCP server is of another resource',
      () => world.provider.spoilResource({ resource: 'https://x.example/mcp', authorization_servers: [other.issuer] }),
    ],
    ['the MCP server fails', () => world.provider.answer('resource', json({}, 500))],
  ];

  test.each(FAILURES)('if %s', async (_what, fail) => {
    await connect();
    const before = await readConfig();
    move(other.issuer);
    fail();
    expect(await begin()).toBe(world.provider.issuer);
    expect(await readConfig()).toEqual(before);
    expect(await world.readState(configId)).toMatchObject({ viewerState: 'READY' });
    expect(await world.get(configId, 1)).toMatchObject({ state: 'ready' });
    expect(readLeaked()).toEqual([]);
    expect(other.requestsTo('token').concat(other.requestsTo('revocation'))).toEqual([]);
  });

  test('for a minute after such a failure, without asking anybody again', async () => {
    move(other.issuer);
    other.answer('registration', json({}, 403));
    await begin();
    const asked = other.log().length + world.provider.log().length;
    await begin();
    expect(other.log().length + world.provider.log().length).toBe(asked);
    other.answer('registration', json(SECOND, 201));
    world.gateway.clock.advance(60_000);
    expect(await begin()).toBe(other.issuer);
  });

  test('if an admin gave the settings: the server is not even asked', async () => {
    const given = await world.define();
    move(other.issuer);
    const { length } = world.provider.log();
    expect(await begin(given)).toBe(world.provider.issuer);
    expect(world.provider.log()).toHaveLength(length);
    expect(other.log()).toEqual([]);
  });

  test.each([
    ['the issuer', () => ({ oauth2_issuer: world.provider.issuer })],
    ['the revocation URL', () => ({ oauth2_revocation_url: `${world.provider.origin}/revoke` })],
  ])('if an admin gave %s, and the rest was discovered', async (_what, fields) => {
    const pinned = await world.define({ ...DISCOVERED, ...fields() });
    move(other.issuer);
    expect(await begin(pinned)).toBe(world.provider.issuer);
    expect(other.log()).toEqual([]);
  });

  test('if an admin changed a discovered setting later', async () => {
    await world.change(configId, { oauth2_revocation_url: `${world.provider.origin}/revoke` });
    move(other.issuer);
    expect(await begin()).toBe(world.provider.issuer);
    expect(other.log()).toEqual([]);
  });
});
