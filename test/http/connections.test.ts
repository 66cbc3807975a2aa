import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { listTools } from '../setup/protected-mcp-server.ts';
import { type ConnectedWorld, callbackUrl, connectUrl, openConnectedWorld } from './connection-setup.ts';
import { SERVERS } from './rest-client.ts';

let world: ConnectedWorld;

beforeAll(async () => {
  world = await openConnectedWorld();
});
afterAll(() => world?.close());

async function readOwn(configId: string, token: string) {
  const query = `query ($id: UUID!) { mcpServerConfig(id: $id) { authConnected viewerState viewerStateReason
    oauth2ClientId oauth2AuthUrl oauth2TokenUrl oauth2RevocationUrl oauth2Issuer oauth2Scopes hasOAuth2Secret } }`;
  const { data } = await world.gateway.graphql(query, { token, variables: { id: configId } });
  return data.mcpServerConfig;
}

describe('a server with discovered settings', () => {
  test('gets them from its metadata, and the gateway registers itself as a client', async () => {
    const { as, gateway } = world;
    const id = await world.define();
    expect(await readOwn(id, gateway.tokens.admin)).toMatchObject({
      authConnected: false,
      viewerState: 'NEEDS_CONNECT',
      oauth2Issuer: as.issuer,
      oauth2AuthUrl: as.endpoints.authorization,
      oauth2TokenUrl: as.endpoints.token,
      oauth2RevocationUrl: as.endpoints.revocation,
      hasOAuth2Secret: true,
    });
    const registrations = as.requests.filter(({ path }) => path === new URL(as.endpoints.registration).pathname);
    expect(registrations).toHaveLength(1);
  });

  test('is connected by a browser, used with the token, refreshed and disconnected', async () => {
    const { as, mcp, gateway } = world;
    const { member } = gateway.tokens;
    const userId = gateway.userIds.member;
    const configId = await world.define();
    const browser = await world.signIn(member);
    const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
    expect({ status: page.status, url: page.url.split('?')[0] }).toEqual({ status: 200, url: callbackUrl(configId) });
    expect(page.text).toContain('mcp-oauth2-complete');
    expect(await readOwn(configId, member)).toMatchObject({ authConnected: true, viewerState: 'READY' });
    expect(await readOwn(configId, gateway.tokens.admin)).toMatchObject({ authConnected: false });

    const first = await gateway.accessTokens.get({ userId, configId });
    if (first.state !== 'ready') throw new Error(first.state);
    expect(await listTools(mcp.url, first.accessToken.expose())).toContain('echo');

    gateway.clock.advance(600_000 - 59_000);
    const second = await gateway.accessTokens.get({ userId, configId });
    if (second.state !== 'ready') throw new Error(second.state);
    expect(second.accessToken.expose()).not.toBe(first.accessToken.expose());
    expect(await listTools(mcp.url, second.accessToken.expose())).toContain('echo');

    const { data } = await gateway.graphql(
      `mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked revocationError } }`,
      { token: member },
    );
    expect(data.disconnectMcpServer).toEqual({ tokenRevoked: true, revocationError: null });
    expect(await as.isActive(second.accessToken.expose())).toBe(false);
    expect(await readOwn(configId, member)).toMatchObject({ authConnected: false, viewerState: 'NEEDS_CONNECT' });
    expect(await gateway.accessTokens.get({ userId, configId })).toEqual({ state: 'needs_connect' });
  });

  test('sends the resource in all three requests, and asks for S256', async () => {
    const { as, mcp, gateway } = world;
    const configId = await world.define();
    const browser = await world.signIn(gateway.tokens.member);
    const before = as.requests.length;
    await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
    gateway.clock.advance(600_000);
    await gateway.accessTokens.get({ userId: gateway.userIds.member, configId });
    const asked = as.requests.slice(before);
    const authorization = asked.find(({ path }) => path === new URL(as.endpoints.authorization).pathname);
    expect(authorization?.query.get('resource')).toBe(mcp.url);
    expect(authorization?.query.get('code_challenge_method')).toBe('S256');
    expect(authorization?.query.get('redirect_uri')).toBe(callbackUrl(configId));
    const tokens = asked.filter(({ path }) => path === new URL(as.endpoints.token).pathname);
    expect(tokens.map(({ form }) => [form?.get('grant_type'), form?.get('resource')])).toEqual([
      ['authorization_code', mcp.url],
      ['refresh_token', mcp.url],
    ]);
  });
});

test('disconnecting an unknown server is like disconnecting one without a connection', async () => {
  const { gateway } = world;
  const unknown = '00000000-0000-4000-8000-000000000000';
  for (const id of [unknown, await world.define()]) {
    const response = await gateway.fetch(`${SERVERS}/${id}/oauth2/disconnect`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${gateway.tokens.member}` },
    });
    expect([response.status, await response.text()]).toEqual([204, '']);
  }
});
