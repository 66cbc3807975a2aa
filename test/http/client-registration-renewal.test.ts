import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { startAuthorizationServer } from '../setup/authorization-server.ts';
import type { PlannedAnswer } from '../setup/authorization-server-traffic.ts';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { type HandmadeServer, startHandmadeServer } from '../setup/handmade-server.ts';
import { createUserAgent, type Page, type UserAgent } from '../setup/user-agent.ts';
import {
  type ConnectedWorld,
  callbackUrl,
  connectUrl,
  LOOPBACK_ALLOWED,
  openConnectedWorld,
} from './connection-setup.ts';
import { SERVERS } from './rest-client.ts';

const TOKEN_PATH = '/token';
const REGISTRATION_PATH = '/reg';

let world: ConnectedWorld;
/** A second gateway over the same database. */
let replica: Gateway;
/** Another MCP server, which trusts the authorization server that a test chooses. */
let other: HandmadeServer;

beforeAll(async () => {
  world = await openConnectedWorld();
  other = await startHandmadeServer();
  const { config, database, keyring, clock, tokens } = world.gateway;
  const adminToken = new Secret(tokens.bootstrap);
  replica = await createGateway({
    listsInBackground: false,
    config,
    database,
    keyring,
    adminToken,
    log: createLogger('silent'),
    now: () => clock.now,
  });
});
afterAll(async () => {
  await replica?.close();
  await other?.close();
  await world?.close();
});

async function ask(query: string) {
  const answer = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

async function patch(configId: string, fields: string) {
  const query = `mutation { updateMcpServerConfig(id: "${configId}", patch: { ${fields} }) { id } }`;
  return world.gateway.graphql(query, { token: world.gateway.tokens.admin });
}

async function readConfig(configId: string) {
  const { mcpServerConfig } = await ask(`{ mcpServerConfig(id: "${configId}") {
    version url oauth2ClientId oauth2AuthUrl oauth2TokenUrl oauth2RevocationUrl oauth2Issuer hasOAuth2Secret
    connectedUserCount } }`);
  return mcpServerConfig;
}

/** A browser at the authorization server, about to return. */
async function leaveAtProvider(configId: string): Promise<{ browser: UserAgent; callback: string }> {
  const browser = await world.signIn(world.gateway.tokens.member);
  const stopBefore = (url: URL) => url.href.startsWith(callbackUrl(configId));
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL, stopBefore });
  return { browser, callback: page.headers.get('location') ?? '' };
}

async function connect(configId: string): Promise<Page> {
  const { browser, callback } = await leaveAtProvider(configId);
  return browser.navigate(callback, { from: world.as.issuer });
}

/** Starts to connect, as a program does. */
function begin(configId: string, app: Pick<TestGateway, 'fetch'>['fetch'] = world.gateway.fetch): Promise<Response> {
  return app(connectUrl(configId), { headers: { authorization: `Bearer ${world.gateway.tokens.member}` } });
}

function clientOf(response: Response): string | null {
  return new URL(response.headers.get('location') ?? '').searchParams.get('client_id');
}

async function getToken(configId: string, rejectedVersion?: number): Promise<string> {
  const userId = world.gateway.userIds.member;
  const result = await world.gateway.accessTokens.get({ userId, configId, rejectedVersion });
  if (result.state !== 'ready') throw new Error(result.state);
  return result.accessToken.expose();
}

function registrations(): number {
  return world.as.requests.filter(({ path }) => path === REGISTRATION_PATH).length;
}

async function readDiscovery(configId: string) {
  const sql = 'SELECT * FROM mcp_server_oauth_discoveries WHERE mcp_server_config_id = $1::uuid';
  return (await world.gateway.database.query(sql, [configId]))[0];
}

/** Lets the client's secret expire as the authorization server announced. */
async function expireSecret(configId: string): Promise<void> {
  const sql = `UPDATE mcp_server_oauth_discoveries SET client_secret_expires_at = now() - interval '1 day'
               WHERE mcp_server_config_id = $1::uuid`;
  await world.gateway.database.query(sql, [configId]);
}

describe('a client that its authorization server no longer accepts', () => {
  test.each([
    ['forgotten', (clientId: string) => world.as.forgetClient(clientId)],
    ['expired', (clientId: string) => world.as.expireRegistration(clientId)],
  ])('because it is %s fails one user, and is registered again for the next', async (_what, end) => {
    const configId = await world.define();
    const { oauth2ClientId: former } = await readConfig(configId);
    const { browser, callback } = await leaveAtProvider(configId);
    await end(former);
    const page = await browser.navigate(callback, { from: world.as.issuer });
    expect(page.status).toBe(502);
    expect(page.text).toContain('Connect again');
    const before = registrations();
    expect((await connect(configId)).status).toBe(200);
    expect((await connect(configId)).status).toBe(200);
    expect(registrations()).toBe(before + 1);
    const { oauth2ClientId: latter, version } = await readConfig(configId);
    expect(latter).not.toBe(former);
    expect(version).toBe(2);
    expect(await world.as.isActive(await getToken(configId))).toBe(true);
  });

  test('is noticed by a refresh too, which keeps the token', async () => {
    const configId = await world.define();
    expect((await connect(configId)).status).toBe(200);
    const { oauth2ClientId: former } = await readConfig(configId);
    await world.as.expireRegistration(former);
    await expect(getToken(configId, 1)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    expect(await readConfig(configId)).toMatchObject({ connectedUserCount: 1, oauth2ClientId: former });
    expect(clientOf(await begin(configId))).not.toBe(former);
    expect((await connect(configId)).status).toBe(200);
    expect(await world.as.isActive(await getToken(configId))).toBe(true);
  });

  test('is registered once when ten users connect at the same time at two gateways', async () => {
    const configId = await world.define();
    const { oauth2ClientId: former } = await readConfig(configId);
    await expireSecret(configId);
    const before = registrations();
    const hold = world.as.holdNext(REGISTRATION_PATH, 'answer');
    const atReplica: TestGateway['fetch'] = async (path, init) => replica.app.fetch(new Request(path, init));
    const all = Array.from({ length: 10 }, (_, index) =>
      begin(configId, index % 2 === 0 ? world.gateway.fetch : atReplica),
    );
    await hold.arrived;
    // What the others read before they would register themselves.
    for (let read = 0; read < 20; read += 1) await readConfig(configId);
    hold.release();
    const answers = await Promise.all(all);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([307]));
    const { oauth2ClientId: latter } = await readConfig(configId);
    expect(latter).not.toBe(former);
    expect(new Set(answers.map(clientOf))).toEqual(new Set([latter]));
    expect(registrations()).toBe(before + 1);
  });

  test.each<[string, PlannedAnswer]>([
    ['refused', { status: 403, body: 'text of the provider' }],
    ['answered with nothing of use', { status: 201, body: '{}' }],
    ['lost', 'drop'],
  ])('is UPSTREAM_FAILED when its registration is %s, and can be tried again', async (_what, answer) => {
    const configId = await world.define();
    const before = await readConfig(configId);
    await expireSecret(configId);
    world.as.failNext(REGISTRATION_PATH, answer);
    const failed = await begin(configId);
    expect(failed.status).toBe(502);
    const text = await failed.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'UPSTREAM_FAILED' });
    expect(text).not.toContain('text of the provider');
    expect(await readConfig(configId)).toEqual(before);
    expect((await begin(configId)).status).toBe(307);
    expect((await connect(configId)).status).toBe(200);
  });

  test('is registered by another gateway when the first one was killed', async () => {
    const configId = await world.define();
    await expireSecret(configId);
    const sql = `UPDATE mcp_server_oauth_discoveries SET registration_lease_id = gen_random_uuid(),
                 registration_lease_until = clock_timestamp() - interval '1 second' WHERE mcp_server_config_id = $1::uuid`;
    await world.gateway.database.query(sql, [configId]);
    expect((await begin(configId)).status).toBe(307);
  });
});

describe('a server with discovered settings', () => {
  /** Makes the other MCP server trust this authorization server. */
  function trust(issuer: string, path: string): string {
    const url = `${other.url}${path}`;
    const metadata = { resource: url, authorization_servers: [issuer] };
    other.onJson(`/.well-known/oauth-protected-resource${path}`, metadata);
    return url;
  }

  test('that moves is discovered again, keeps its client at the same issuer, and ends its connections', async () => {
    const configId = await world.define();
    expect((await connect(configId)).status).toBe(200);
    const token = await getToken(configId);
    const before = { config: await readConfig(configId), registrations: registrations() };
    const url = trust(world.as.issuer, '/moved');
    world.as.addResource(url);
    expect((await patch(configId, `url: "${url}"`)).errors).toBeUndefined();
    const version = before.config.version + 1;
    expect(await readConfig(configId)).toEqual({ ...before.config, url, version, connectedUserCount: 0 });
    expect(await readDiscovery(configId)).toMatchObject({ resource: url });
    expect(registrations()).toBe(before.registrations);
    await world.gateway.settle();
    expect(await world.as.isActive(token)).toBe(false);
    expect((await connect(configId)).status).toBe(200);
    expect(await world.as.introspect(await getToken(configId))).toMatchObject({ active: true, aud: url });
  });

  test('that moves to another issuer gets a client there, which learns nothing of the previous one', async () => {
    const configId = await world.define();
    expect((await connect(configId)).status).toBe(200);
    const token = await getToken(configId);
    const issuer = `${other.url}/as`;
    other.onJson('/.well-known/oauth-authorization-server/as', {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      revocation_endpoint: `${issuer}/revoke`,
      registration_endpoint: `${issuer}/register`,
      code_challenge_methods_supported: ['S256'],
    });
    other.onJson('/as/register', { client_id: 'new-client', client_secret: 'new-secret' }, 201);
    const url = trust(issuer, '/elsewhere');
    expect((await patch(configId, `url: "${url}"`)).errors).toBeUndefined();
    await world.gateway.settle();
    expect(await readConfig(configId)).toMatchObject({
      url,
      oauth2Issuer: issuer,
      oauth2ClientId: 'new-client',
      oauth2TokenUrl: `${issuer}/token`,
      oauth2RevocationUrl: `${issuer}/revoke`,
      connectedUserCount: 0,
    });
    expect(await world.as.isActive(token)).toBe(false);
    const posts = other.requests.filter(({ method, path }) => method === 'POST' && path.startsWith('/as/'));
    expect(posts.map(({ path }) => path)).toEqual(['/as/register']);
    expect(posts[0]?.headers.authorization).toBeUndefined();
  });

  test.each([
    ['says nothing of itself', () => `${other.url}/silent`],
    ['names an authorization server that is none', () => trust(`${other.url}/none`, '/lost')],
  ])('is not moved to one that %s', async (_what, toUrl) => {
    const configId = await world.define();
    expect((await connect(configId)).status).toBe(200);
    const before = { config: await readConfig(configId), discovery: await readDiscovery(configId) };
    const { errors } = await patch(configId, `url: "${toUrl()}", displayName: "Moved"`);
    expect(errors?.[0].extensions.code).toBe('UPSTREAM_FAILED');
    expect({ config: await readConfig(configId), discovery: await readDiscovery(configId) }).toEqual(before);
    expect(await world.as.isActive(await getToken(configId))).toBe(true);
  });

  test('whose settings are then set by an admin is not registered again', async () => {
    const configId = await world.define();
    const { as } = world;
    const clientId = await as.addClient({ redirectUris: [callbackUrl(configId)], secret: 'given-secret' });
    const urls = `oauth2AuthUrl: "${as.endpoints.authorization}", oauth2TokenUrl: "${as.endpoints.token}"`;
    const given = `oauth2ClientId: "${clientId}", oauth2ClientSecret: "given-secret", ${urls}`;
    expect((await patch(configId, given)).errors).toBeUndefined();
    expect(await readDiscovery(configId)).toBeUndefined();
    const before = registrations();
    expect((await connect(configId)).status).toBe(200);
    const { browser, callback } = await leaveAtProvider(configId);
    await as.expireRegistration(clientId);
    expect((await browser.navigate(callback, { from: as.issuer })).status).toBe(502);
    expect(clientOf(await begin(configId))).toBe(clientId);
    expect(registrations()).toBe(before);
    expect(await readConfig(configId)).toMatchObject({ oauth2ClientId: clientId });
  });

  test('is registered once an admin clears the settings they had set', async () => {
    const { as, mcp } = world;
    const configId = await world.define({
      oauth2_client_id: 'given',
      oauth2_client_secret: 'given-secret',
      oauth2_auth_url: 'https://login.example.com/authorize',
      oauth2_token_url: 'https://login.example.com/token',
    });
    const before = registrations();
    const cleared = await patch(configId, 'oauth2ClientId: null, oauth2AuthUrl: null, oauth2TokenUrl: null');
    expect(cleared.errors).toBeUndefined();
    expect(registrations()).toBe(before + 1);
    expect(await readConfig(configId)).toMatchObject({ oauth2Issuer: as.issuer, oauth2TokenUrl: as.endpoints.token });
    expect(await readDiscovery(configId)).toMatchObject({ resource: mcp.url, client_mode: 'registered' });
    expect((await connect(configId)).status).toBe(200);
  });
});

test('a public gateway is identified by its client metadata document, and never registered', async () => {
  const origin = 'https://gatehouse.example.com';
  const fetched: string[] = [];
  let gateway: TestGateway | undefined;
  const as = await startAuthorizationServer({
    fetchClientMetadata: async (request) => {
      fetched.push(request.url);
      return gateway?.fetch(request.url, request) ?? new Response(null, { status: 503 });
    },
  });
  const server = await startHandmadeServer();
  try {
    gateway = await createTestGateway({ env: { ...LOOPBACK_ALLOWED, GATEHOUSE_PUBLIC_URL: origin } });
    const { fetch, tokens, userIds, accessTokens } = gateway;
    const url = `${server.url}/mcp`;
    as.addResource(url);
    const metadata = { resource: url, authorization_servers: [as.issuer] };
    server.onJson('/.well-known/oauth-protected-resource/mcp', metadata);
    const headers = { authorization: `Bearer ${tokens.admin}`, 'content-type': 'application/json' };
    const body = { display_name: 'CIMD', slug: 'cimd', url, auth_type: 'oauth2', enabled: true };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const defined = (await (await fetch(`${origin}${SERVERS}`, init)).json()) as Record<string, string>;
    const configId = defined['id'] ?? '';
    const clientId = `${origin}${SERVERS}/${configId}/oauth2/client.json`;
    expect(defined).toMatchObject({ oauth2_client_id: clientId, has_oauth2_secret: false });

    const browser = createUserAgent({ routes: { [origin]: (request) => fetch(request.url, request) } });
    const session = { method: 'POST', headers: { authorization: `Bearer ${tokens.member}` } };
    expect((await browser.fetch(`${origin}/auth/session`, session)).status).toBe(201);
    const page = await browser.navigate(`${origin}${SERVERS}/${configId}/oauth2/connect`, { from: origin });
    expect(page.status, page.text).toBe(200);
    expect(fetched).toContain(clientId);
    expect(as.requests.filter(({ path }) => path === REGISTRATION_PATH)).toEqual([]);
    const [redeemed] = as.requests.filter(({ path }) => path === TOKEN_PATH);
    expect(redeemed?.form?.get('client_id')).toBe(clientId);
    const first = await accessTokens.get({ userId: userIds.member, configId });
    expect(first).toMatchObject({ state: 'ready', version: 1 });
    const second = await accessTokens.get({ userId: userIds.member, configId, rejectedVersion: 1 });
    if (second.state !== 'ready') throw new Error(second.state);
    expect(await as.introspect(second.accessToken.expose())).toMatchObject({ active: true, client_id: clientId });
  } finally {
    await gateway?.close();
    await server.close();
    await as.close();
  }
});
