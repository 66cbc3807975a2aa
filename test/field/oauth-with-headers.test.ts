import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConnectedWorld, connectUrl, openConnectedWorld } from '../http/connection-setup.ts';
import { createRestClient, type RestClient, SERVERS } from '../http/rest-client.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';

// import.json I15. Google's and Grafana Cloud's servers want a header (a project, a stack) beside the OAuth 2 token.

let world: ConnectedWorld;
let rest: RestClient;
beforeAll(async () => {
  world = await openConnectedWorld();
  rest = createRestClient(world.gateway);
});
afterAll(() => world?.close());

const HEADERS = { 'x-goog-user-project': 'project-canary', 'X-Tenant': 'tenant-canary' };

async function readHeaders(configId: string): Promise<unknown> {
  const result = await world.gateway.serverHeaders.get({ userId: world.gateway.userIds.member, configId });
  if (result.state !== 'ready') return result.state;
  return Object.fromEntries(result.headers.map(({ name, value }) => [name, value.expose()]));
}

async function connect(configId: string): Promise<void> {
  const browser = await world.signIn(world.gateway.tokens.member);
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
  expect(page.status).toBe(200);
}

describe('a server with OAuth 2 and custom headers', () => {
  test('stores both, and both are sent', async () => {
    const id = await world.define({ custom_headers: HEADERS });
    expect((await rest.call('admin', 'GET', `${SERVERS}/${id}`)).body).toMatchObject({
      auth_type: 'oauth2',
      has_custom_headers: true,
    });
    expect(await readHeaders(id)).toBe('needs_connect');
    await connect(id);
    const token = await world.gateway.accessTokens.get({ userId: world.gateway.userIds.member, configId: id });
    if (token.state !== 'ready') throw new Error(token.state);
    expect(await readHeaders(id)).toEqual({ Authorization: `Bearer ${token.accessToken.expose()}`, ...HEADERS });
    const rows = await world.gateway.database.query('SELECT custom_headers FROM mcp_server_configs WHERE id = $1', [
      id,
    ]);
    expect(JSON.stringify(rows)).not.toContain('canary');
    expect(world.gateway.logs()).not.toContain('canary');
  });

  test('keeps the connections of its users when only the headers change', async () => {
    const id = await world.define({ custom_headers: HEADERS });
    await connect(id);
    await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { custom_headers: { 'X-Tenant': 'other' } });
    expect(await readHeaders(id)).toMatchObject({ Authorization: expect.any(String), 'X-Tenant': 'other' });
  });

  test.each(['Authorization', 'authorization'])('has no header %s, which has the token', async (name) => {
    const fields = { display_name: 'A', slug: 'with-authorization', url: world.mcp.url, auth_type: 'oauth2' };
    const answer = await rest.call('admin', 'POST', SERVERS, { ...fields, custom_headers: { [name]: 'Bearer x' } });
    const detail = 'This header has the access token when the auth type is OAuth 2; remove it.';
    expect([answer.status, answer.body.validations]).toEqual([400, [{ field: `custom_headers.${name}`, detail }]]);
  });

  test('sends its token only, when it had an Authorization header under another auth type', async () => {
    const id = await world.define({ auth_type: 'none', custom_headers: { authorization: 'Bearer old', 'X-A': 'a' } });
    await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { auth_type: 'oauth2' });
    await connect(id);
    expect(await readHeaders(id)).toEqual({
      Authorization: expect.not.stringContaining('old'),
      'X-A': 'a',
    });
  });
});

test.each([
  [{ auth_type: 'none' }, {}],
  [{ auth_type: 'api_key', api_key_header: 'X-Key', api_key_value: 'k', custom_headers: HEADERS }, { 'X-Key': 'k' }],
  [{ auth_type: 'custom_headers', custom_headers: HEADERS, api_key_value: 'k' }, HEADERS],
  [{ auth_type: 'none', enabled: false }, 'disabled'],
])('%j sends what belongs to its auth type', async (fields, expected) => {
  expect(await readHeaders(await world.define(fields))).toEqual(expected);
});
