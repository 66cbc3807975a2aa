import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { startHandmadeServer } from '../setup/handmade-server.ts';
import { createUserAgent } from '../setup/user-agent.ts';
import { type ConnectedWorld, callbackUrl, connectUrl, openConnectedWorld } from './connection-setup.ts';

const TOKEN_PATH = '/token';

let world: ConnectedWorld;

beforeAll(async () => {
  // It assumes its one resource if a request names none.
  world = await openConnectedWorld({ resourceRequired: false });
});
afterAll(() => world?.close());

async function patch(configId: string, fields: string): Promise<void> {
  const query = `mutation { updateMcpServerConfig(id: "${configId}", patch: { ${fields} }) { id } }`;
  const { errors } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
  expect(errors).toBeUndefined();
}

/** A server with settings from an admin. @param authUrl the authorization server's own by default */
async function defineGiven(authUrl = world.as.endpoints.authorization): Promise<string> {
  const { as, mcp } = world;
  const configId = await world.define({
    url: mcp.url,
    oauth2_client_id: 'not yet',
    oauth2_auth_url: authUrl,
    oauth2_token_url: as.endpoints.token,
    oauth2_scopes: 'mcp:tools',
  });
  await patch(configId, `oauth2ClientId: "${await as.addClient({ redirectUris: [callbackUrl(configId)] })}"`);
  return configId;
}

/** A browser for which one more origin is this authorization server. */
async function signIn(origin: string) {
  const { gateway, as } = world;
  const browser = createUserAgent({
    routes: {
      [TEST_PUBLIC_URL]: (request) => gateway.fetch(request.url, request),
      [origin]: async ({ url }) => Response.redirect(`${as.endpoints.authorization}${new URL(url).search}`, 302),
    },
  });
  const init = { method: 'POST', headers: { authorization: `Bearer ${gateway.tokens.member}` } };
  expect((await browser.fetch(`${TEST_PUBLIC_URL}/auth/session`, init)).status).toBe(201);
  return browser;
}

/** Connects and refreshes. @returns the resource of the three requests, each with how often it is sent */
async function readResources(configId: string, origin = 'https://unused.example'): Promise<(string[] | undefined)[]> {
  const { as, gateway } = world;
  const before = as.requests.length;
  const browser = await signIn(origin);
  const page = await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
  expect(page.status, page.text).toBe(200);
  const args = { userId: gateway.userIds.member, configId };
  expect(await gateway.accessTokens.get({ ...args, rejectedVersion: 1 })).toMatchObject({ state: 'ready', version: 2 });
  const seen = as.requests.slice(before);
  const authorization = seen.find(({ path }) => path === new URL(as.endpoints.authorization).pathname);
  const tokens = seen.filter(({ path }) => path === TOKEN_PATH);
  expect(tokens.map(({ form }) => form?.get('grant_type'))).toEqual(['authorization_code', 'refresh_token']);
  return [authorization?.query.getAll('resource'), ...tokens.map(({ form }) => form?.getAll('resource'))];
}

function thrice(...resource: string[]): string[][] {
  return [resource, resource, resource];
}

describe.each([
  ['discovered', () => world.define()],
  ['given', () => defineGiven()],
])('a server with %s settings', (_kind, define) => {
  test('is sent in all three requests, also if requested explicitly, and in none if omitted', async () => {
    const configId = await define();
    expect(await readResources(configId)).toEqual(thrice(world.mcp.url));
    await patch(configId, 'oauth2ResourceMode: OMIT');
    await disconnect(configId);
    expect(await readResources(configId)).toEqual(thrice());
    await patch(configId, 'oauth2ResourceMode: INCLUDE');
    await disconnect(configId);
    expect(await readResources(configId)).toEqual(thrice(world.mcp.url));
    await patch(configId, 'oauth2ResourceMode: null');
    await disconnect(configId);
    expect(await readResources(configId)).toEqual(thrice(world.mcp.url));
  });
});

async function disconnect(configId: string): Promise<void> {
  const query = `mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked } }`;
  await world.gateway.graphql(query, { token: world.gateway.tokens.member });
}

test('a discovered server is named exactly as in its metadata', async () => {
  const { as } = world;
  const server = await startHandmadeServer();
  try {
    for (const resource of [`${server.url}/`, `${server.url}/a`, `${server.url}/a/`, `${server.url}/a/mcp`]) {
      as.addResource(resource);
      const metadata = { resource, authorization_servers: [as.issuer] };
      server.onJson('/.well-known/oauth-protected-resource/a/mcp', metadata);
      const configId = await world.define({ url: `${server.url}/a/mcp` });
      expect(await readResources(configId)).toEqual(thrice(resource));
    }
  } finally {
    await server.close();
  }
});

describe('at Microsoft Entra', () => {
  const PATH = '/tenant/oauth2/v2.0/authorize';

  // The other hosts are in test/oauth/microsoft-hosts.test.ts.
  test('a server is named only when that is asked for', async () => {
    const origin = 'https://login.partner.microsoftonline.cn';
    const configId = await defineGiven(`${origin.replace('login', 'LOGIN')}${PATH}`);
    expect(await readResources(configId, origin)).toEqual(thrice());
    await patch(configId, 'oauth2ResourceMode: INCLUDE');
    await disconnect(configId);
    expect(await readResources(configId, origin)).toEqual(thrice(world.mcp.url));
  });

  test('is not one that has its name in the path: a server is named', async () => {
    const base = 'https://login.example/login.microsoftonline.com';
    const configId = await defineGiven(`${base}${PATH}`);
    expect(await readResources(configId, new URL(base).origin)).toEqual(thrice(world.mcp.url));
  });
});
