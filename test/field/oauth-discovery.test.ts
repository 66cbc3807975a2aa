import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SERVERS } from '../http/rest-client.ts';
import { type HandmadeServer, startHandmadeServer } from '../setup/handmade-server.ts';
import { CLIENT } from '../setup/hostile-provider.ts';
import { type FieldWorld, json, openFieldWorld } from './connection-world.ts';

// Metadata and registrations as real servers send them. The cases of each place and field are in test/oauth/discovery/.

const RESOURCE = '/.well-known/oauth-protected-resource';
const OAUTH = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';
const DISCOVERED = {
  oauth2_client_id: '',
  oauth2_client_secret: undefined,
  oauth2_auth_url: '',
  oauth2_token_url: '',
  oauth2_revocation_url: '',
};

let world: FieldWorld;
/** A server of its own, at an origin that is its issuer. */
let origin: HandmadeServer;
beforeAll(async () => {
  origin = await startHandmadeServer();
  world = await openFieldWorld({}, [origin.port]);
});
afterAll(async () => {
  await world?.close();
  await origin?.close();
});
beforeEach(() => {
  world.provider.reset();
  origin.requests.length = 0;
  for (const path of [RESOURCE, `${RESOURCE}/mcp`, OAUTH, OPENID]) origin.onText(path, 'nothing here', 404);
  origin.on('/mcp', (_request, response) => response.writeHead(401).end());
  origin.onJson('/token', { access_token: 'access', refresh_token: 'refresh', token_type: 'Bearer', expires_in: 600 });
  origin.onJson('/register', { client_id: 'at-the-origin', client_secret: CLIENT.secret }, 201);
});

const metadata = (change: Record<string, unknown> = {}) => ({
  issuer: origin.url,
  authorization_endpoint: `${origin.url}/login`,
  token_endpoint: `${origin.url}/token`,
  registration_endpoint: `${origin.url}/register`,
  code_challenge_methods_supported: ['S256'],
  ...change,
});

const define = () => world.define({ url: `${origin.url}/mcp`, ...DISCOVERED });

/** Connects the member with this `iss` in the answer. @returns the page and the sign-in's URL */
async function finish(configId: string, iss?: string) {
  const begun = await world.begin(configId, world.session);
  const answer = { ...begun.answer, ...(iss !== undefined && { iss }) };
  const page = await world.bring(begun, { cookies: [world.session, begun.cookie], answer });
  return { page, authorizationUrl: begun.authorizationUrl };
}

async function readIssuer(configId: string): Promise<string> {
  return (await world.rest.call('admin', 'GET', `${SERVERS}/${configId}`)).body.oauth2_issuer;
}

// modelcontextprotocol/go-sdk#953 (Google), vercel/ai#20236 (Auth0), anomalyco/opencode#50036: an issuer that is an origin
// is written with a slash in one document and without it in the other.
describe('an issuer with a slash in one document only is the same', () => {
  test.each([
    ['the metadata of the authorization server', '', '/'],
    ['the metadata of the MCP server', '/', ''],
  ])('when it is in %s, and iss must be what the authorization server writes', async (_what, named, own) => {
    origin.onJson(`${RESOURCE}/mcp`, {
      resource: `${origin.url}/mcp`,
      authorization_servers: [`${origin.url}${named}`],
    });
    const issuer = `${origin.url}${own}`;
    origin.onJson(OAUTH, metadata({ issuer, authorization_response_iss_parameter_supported: true }));
    const configId = await define();
    expect(await readIssuer(configId)).toBe(issuer);
    const refused = await finish(configId, `${origin.url}${named}`);
    expect(refused.page.status).toBe(400);
    expect(origin.log).not.toContain('POST /token');
    expect((await finish(configId, issuer)).page.status).toBe(200);
    // It is no move to another authorization server either.
    expect(await readIssuer(configId)).toBe(issuer);
    expect(origin.log.filter((line) => line === 'POST /register')).toHaveLength(1);
  });

  test('when an admin gives it, and the metadata only fills in the rest', async () => {
    const issuer = `${origin.url}/`;
    origin.onJson(OAUTH, metadata({ issuer, authorization_response_iss_parameter_supported: true }));
    const given = { oauth2_auth_url: `${origin.url}/login`, oauth2_token_url: `${origin.url}/token` };
    const configId = await world.define({ ...given, oauth2_revocation_url: '', oauth2_issuer: origin.url });
    expect((await finish(configId)).page.status).toBe(400);
    expect((await finish(configId, origin.url)).page.status).toBe(400);
    expect((await finish(configId, issuer)).page.status).toBe(200);
  });
});

// cloudflare/workers-oauth-provider#137, aws/amazon-q-developer-cli#3638: servers of the revision 2025-03-26.
describe('a server without resource metadata', () => {
  test('is its own authorization server, and gets no resource parameter', async () => {
    origin.onJson(OAUTH, metadata());
    const configId = await define();
    expect(await readIssuer(configId)).toBe(origin.url);
    const { page, authorizationUrl } = await finish(configId);
    expect(page.status, page.text).toBe(200);
    expect(`${authorizationUrl.origin}${authorizationUrl.pathname}`).toBe(`${origin.url}/login`);
    expect(authorizationUrl.searchParams.has('resource')).toBe(false);
    const forms = origin.requests.filter(({ path }) => path === '/token').map(({ body }) => new URLSearchParams(body));
    expect(forms.map((form) => form.has('resource'))).toEqual([false]);
    expect(forms[0]?.get('code_verifier')).toMatch(/^.{43,}$/);
  });

  test('is named with `include`', async () => {
    origin.onJson(OAUTH, metadata());
    const configId = await define();
    await world.change(configId, { oauth2_resource_mode: 'include' });
    expect((await finish(configId)).authorizationUrl.searchParams.get('resource')).toBe(`${origin.url}/mcp`);
  });

  test('and without any metadata has the default endpoints', async () => {
    const configId = await define();
    const { page, authorizationUrl } = await finish(configId);
    expect(page.status, page.text).toBe(200);
    expect(`${authorizationUrl.origin}${authorizationUrl.pathname}`).toBe(`${origin.url}/authorize`);
    expect(authorizationUrl.searchParams.get('code_challenge_method')).toBe('S256');
    expect((await finish(configId, 'https://other.example.com')).page.status).toBe(400);
  });

  test('and nothing at the default endpoints either says what was tried', async () => {
    origin.onText('/register', '', 404);
    await expect(define()).rejects.toThrow(/does not say how to get a token.*default endpoints.*404/);
  });

  test('and with the metadata of another issuer at its origin is refused', async () => {
    origin.onJson(OAUTH, metadata({ issuer: world.provider.issuer }));
    await expect(define()).rejects.toThrow(/another issuer/);
    expect(origin.log).not.toContain('POST /register');
  });
});

// archestra-ai/archestra#7246; modelcontextprotocol/typescript-sdk#2785 (401 and 403 for a path that is not there).
test.each([401, 403, 404, 500])(
  "a path's resource metadata that answers %i does not hide the one at the root",
  async (status) => {
    world.provider.answer('resource', { status, body: 'no' });
    origin.onText(`${RESOURCE}/mcp`, 'no', status);
    origin.onJson(RESOURCE, { resource: origin.url, authorization_servers: [world.provider.issuer] });
    expect(await readIssuer(await define())).toBe(world.provider.issuer);
  },
);

test("a path's resource metadata that names no authorization server does not hide the one at the root", async () => {
  origin.onJson(`${RESOURCE}/mcp`, { resource: `${origin.url}/mcp`, scopes_supported: ['a'] });
  origin.onJson(RESOURCE, { resource: origin.url, authorization_servers: [world.provider.issuer] });
  expect(await readIssuer(await define())).toBe(world.provider.issuer);
});

test('an OAuth document without code challenge methods does not hide the OpenID document that has them', async () => {
  origin.onJson(`${RESOURCE}/mcp`, { resource: `${origin.url}/mcp`, authorization_servers: [origin.url] });
  origin.onJson(OAUTH, metadata({ code_challenge_methods_supported: undefined }));
  origin.onJson(OPENID, metadata());
  expect((await finish(await define())).page.status).toBe(200);
});

test('a server whose metadata has a slash more than its URL is connected, and named as it names itself', async () => {
  world.provider.spoilResource({ resource: `${world.provider.serverUrl}/` });
  const begun = await world.begin(await world.define(DISCOVERED), world.session);
  expect(begun.authorizationUrl.searchParams.get('resource')).toBe(`${world.provider.serverUrl}/`);
});

// sigbit/mcp-auth-proxy#173: empty and null for what a client did not ask for.
describe('a registration is taken', () => {
  test.each<[string, Record<string, unknown>, number]>([
    ['with an empty method and null grants', { token_endpoint_auth_method: '', grant_types: null }, 201],
    ['with null everywhere', { token_endpoint_auth_method: null, redirect_uris: null, scope: null }, 201],
    ['with a list of scopes and texts for numbers', { scope: ['a', 'b'], client_secret_expires_at: '0' }, 200],
    ['with status 202', {}, 202],
  ])('%s', async (_what, change, status) => {
    world.provider.answer(
      'registration',
      json({ client_id: 'lenient', client_secret: CLIENT.secret, ...change }, status),
    );
    await world.connect(await world.define(DISCOVERED));
    expect(world.provider.requestsTo('token')[0]?.headers.authorization).toMatch(/^Basic /);
  });
});

// api.slack.com, "oauth.v2.user.access" and "Token rotation": scopes with commas, and tokens of type `user`.
describe('Slack', () => {
  const AUTHORIZE = 'https://slack.com/oauth/v2/authorize';
  const token = {
    access_token: 'xoxp-user',
    refresh_token: 'xoxe-user',
    expires_in: 600,
    scope: 'chat:write,users:read',
  };

  test("is asked for the user's scopes, and its answers are read", async () => {
    const { provider } = world;
    provider.answer('token', json({ ok: true, authed_user: { id: 'U1', token_type: 'user', ...token } }));
    const configId = await world.define({ oauth2_auth_url: AUTHORIZE, oauth2_scopes: 'chat:write users:read' });
    const { page, authorizationUrl } = await finish(configId, provider.issuer);
    expect(page.status, page.text).toBe(200);
    expect(authorizationUrl.searchParams.get('user_scope')).toBe('chat:write,users:read');
    expect(authorizationUrl.searchParams.has('scope')).toBe(false);
    provider.answer('token', json({ ok: true, token_type: 'user', ...token, access_token: 'xoxp-rotated' }));
    expect(await world.get(configId, 1)).toMatchObject({ state: 'ready', version: 2 });
  });

  test.each([
    'https://slack.com.example.com/oauth/v2/authorize',
    'https://slack.com/oauth/v2_user/authorize',
    'https://example.com/oauth/v2/authorize',
  ])('%s is asked as usual', async (authUrl) => {
    const configId = await world.define({ oauth2_auth_url: authUrl, oauth2_scopes: 'a b' });
    const { authorizationUrl } = await world.begin(configId, world.session);
    expect(authorizationUrl.searchParams.get('scope')).toBe('a b');
    expect(authorizationUrl.searchParams.has('user_scope')).toBe(false);
  });

  test('is the only one whose tokens have an owner as their type', async () => {
    world.provider.answer('token', json({ token_type: 'user', access_token: 'x' }));
    const page = await world.finish(await world.define());
    expect(page.status).toBe(502);
  });
});

// punkpeye/mcp-remote#217, anthropics/claude-code#73460: AADSTS9010010.
describe('at Microsoft Entra the server is named only when that is asked for', () => {
  test.each([
    'login.microsoftonline.com',
    'login.microsoftonline.us',
    'login.partner.microsoftonline.cn',
    'login.windows.net',
    'sts.windows.net',
    'login.sovcloud-identity.fr',
    'contoso.b2clogin.com',
    'contoso.ciamlogin.com',
  ])('%s', async (host) => {
    const url = `https://${host}/tenant/oauth2/v2.0/authorize`;
    const configId = await world.define({ oauth2_auth_url: url });
    const read = async () => (await world.begin(configId, world.session)).authorizationUrl.searchParams.get('resource');
    expect(await read()).toBeNull();
    await world.change(configId, { oauth2_resource_mode: 'include' });
    expect(await read()).toBe(world.provider.serverUrl);
  });

  test.each(['notb2clogin.com', 'ciamlogin.com.example.com', 'windows.net.example.com'])('%s is not', async (host) => {
    const configId = await world.define({ oauth2_auth_url: `https://${host}/authorize` });
    const { authorizationUrl } = await world.begin(configId, world.session);
    expect(authorizationUrl.searchParams.get('resource')).toBe(world.provider.serverUrl);
  });
});
