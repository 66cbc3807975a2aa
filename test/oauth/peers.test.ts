import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startAuthorizationServer, type TestAuthorizationServer } from '../setup/authorization-server.ts';
import {
  type Change,
  createClientBrowser,
  createOAuthClient,
  REDIRECT_URI,
  type TestOAuthClient,
} from '../setup/authorization-server-client.ts';
import { listTools, type ProtectedMcpServer, startProtectedMcpServer } from '../setup/protected-mcp-server.ts';
import type { UserAgent } from '../setup/user-agent.ts';

// Tests the servers that the OAuth tests run against: each behaves as it claims.

const RESOURCE = 'https://tools.example/mcp';
const OTHER_RESOURCE = 'https://other.example/mcp';
const INVALID_GRANT = { status: 400, body: { error: 'invalid_grant' } };
const INVALID_TARGET = { status: 400, body: { error: 'invalid_target' } };

let server: TestAuthorizationServer;
let browser: UserAgent;
let clientId: string;
let client: TestOAuthClient;

beforeAll(async () => {
  server = await startAuthorizationServer({ resources: [RESOURCE, OTHER_RESOURCE] });
});
afterAll(() => server?.close());

beforeEach(async () => {
  clientId = await server.addClient({ redirectUris: [REDIRECT_URI] });
  browser = createClientBrowser();
  client = createOAuthClient({ server, clientId, resource: RESOURCE, browser });
});

describe('the authorization server', () => {
  test('gives tokens for the resource to a browser that only follows redirects', async () => {
    const authorization = await client.authorize();
    const { page, answer } = authorization;
    expect(page).toMatchObject({ status: 200, text: 'done' });
    expect(Object.fromEntries(answer)).toEqual({ code: expect.any(String), state: 'state-1', iss: server.issuer });
    expect(browser.history.some(({ url }) => url.includes('/interaction/'))).toBe(true);

    const { status, body } = await client.redeem(authorization);
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'mcp:tools' });
    const facts = { active: true, aud: RESOURCE, sub: 'alice', client_id: clientId };
    expect(await server.introspect(body.access_token)).toMatchObject(facts);
    expect(await server.isActive(body.refresh_token)).toBe(true);
    expect(server.tokenRequests('authorization_code').at(-1)?.form?.get('client_id')).toBe(clientId);
    expect(await client.redeem(authorization)).toMatchObject(INVALID_GRANT);
  });

  test('logs in the named user, and a logged-in browser keeps its user', async () => {
    server.account = 'bob';
    const first = await client.connect();
    server.account = 'alice';
    const second = await client.connect();
    const third = await createOAuthClient({ server, clientId, resource: RESOURCE }).connect();
    const subjects = [first, second, third].map(async (each) => (await server.introspect(each.access_token)).sub);
    expect(await Promise.all(subjects)).toEqual(['bob', 'bob', 'alice']);
  });

  test('has two consistent metadata documents with working locations', async () => {
    const { metadata, openidMetadata } = server.endpoints;
    const [oauth, openid] = await Promise.all([metadata, openidMetadata].map(async (url) => (await fetch(url)).json()));
    expect(oauth).toEqual(openid);
    expect(oauth).toMatchObject({
      issuer: server.issuer,
      authorization_endpoint: server.endpoints.authorization,
      token_endpoint: server.endpoints.token,
      revocation_endpoint: server.endpoints.revocation,
      introspection_endpoint: server.endpoints.introspection,
      registration_endpoint: server.endpoints.registration,
      jwks_uri: server.endpoints.jwks,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    });
    expect(oauth).not.toHaveProperty('client_id_metadata_document_supported');
  });

  test.each<[string, Change, string]>([
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['the plain method of PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no resource', { resource: undefined }, 'invalid_target'],
    ['a resource that is not served here', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    ['a resource that is served here but for its slash', { resource: `${RESOURCE}/` }, 'invalid_target'],
  ])('refuses a request with %s, and says who refuses', async (_what, change, error) => {
    const { answer } = await client.authorize(change);
    expect(Object.fromEntries(answer)).toMatchObject({ error, state: 'state-1', iss: server.issuer });
    expect(answer.has('code')).toBe(false);
  });

  test('refuses a client with a secret that uses no PKCE', async () => {
    const secret = 'not-a-secret-outside-of-this-test';
    clientId = await server.addClient({ redirectUris: [REDIRECT_URI], secret });
    client = createOAuthClient({ server, clientId, secret, resource: RESOURCE });
    const { answer } = await client.authorize({ code_challenge: undefined, code_challenge_method: undefined });
    expect(answer.get('error')).toBe('invalid_request');
  });

  test('lets the user refuse, once', async () => {
    server.refuseNextConsent();
    const { answer } = await client.authorize();
    expect(Object.fromEntries(answer)).toMatchObject({ error: 'access_denied', iss: server.issuer });
    expect((await client.authorize()).answer.has('code')).toBe(true);
  });

  test.each<[string, Change, object]>([
    ['another verifier', { code_verifier: 'v'.repeat(43) }, INVALID_GRANT],
    ['no verifier', { code_verifier: undefined }, INVALID_GRANT],
    ['another resource than was authorized', { resource: OTHER_RESOURCE }, INVALID_TARGET],
    ['no resource', { resource: undefined }, INVALID_TARGET],
    ['another redirect URI', { redirect_uri: `${REDIRECT_URI}/x` }, INVALID_GRANT],
  ])('redeems no code with %s', async (_what, change, refusal) => {
    expect(await client.redeem(await client.authorize(), change)).toMatchObject(refusal);
  });

  test('refreshes only for the resource that was authorized', async () => {
    const { refresh_token: token } = await client.connect();
    expect(await client.refresh(token, { resource: undefined })).toMatchObject(INVALID_TARGET);
    expect(await client.refresh(token)).toMatchObject({ status: 200 });
    const { refresh_token: another } = await client.connect();
    expect(await client.refresh(another, { resource: OTHER_RESOURCE })).toMatchObject(INVALID_TARGET);
  });

  test('rotates refresh tokens, and ends the grant when an old one comes back', async () => {
    const first = await client.connect();
    const second = (await client.refresh(first.refresh_token)).body;
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await server.isActive(second.access_token)).toBe(true);
    expect(await client.refresh(first.refresh_token)).toMatchObject(INVALID_GRANT);
    expect(await client.refresh(second.refresh_token)).toMatchObject(INVALID_GRANT);
    expect(await server.isActive(second.access_token)).toBe(false);
  });

  test('revokes a token, and leaves the other grants of the same browser alone', async () => {
    const revoked = await client.connect();
    const other = await client.connect();
    expect(await client.revoke(revoked.refresh_token)).toBe(200);
    expect(await server.isActive(revoked.refresh_token)).toBe(false);
    expect(await server.isActive(revoked.access_token)).toBe(false);
    expect(await server.isActive(other.access_token)).toBe(true);
  });

  test('revokes no token of another client', async () => {
    const { refresh_token: token } = await client.connect();
    const strangerId = await server.addClient({ redirectUris: [REDIRECT_URI] });
    await createOAuthClient({ server, clientId: strangerId, resource: RESOURCE }).revoke(token);
    expect(await server.isActive(token)).toBe(true);
  });

  test('ends one token early on request', async () => {
    const tokens = await client.connect();
    await server.expireToken(tokens.access_token);
    expect(await server.isActive(tokens.access_token)).toBe(false);
    const refreshed = await client.refresh(tokens.refresh_token);
    expect(refreshed).toMatchObject({ status: 200 });
    await server.expireToken(refreshed.body.refresh_token);
    expect(await client.refresh(refreshed.body.refresh_token)).toMatchObject(INVALID_GRANT);
    expect(await server.isActive(refreshed.body.access_token)).toBe(true);
    await expect(server.expireToken('unknown')).rejects.toThrow('does not know');
  });

  test('registers clients, and knows them until it forgets them', async () => {
    const redirectUri = 'http://127.0.0.1:9/callback';
    const response = await fetch(server.endpoints.registration, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        application_type: 'native',
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
      }),
    });
    expect(response.status).toBe(201);
    const { client_id: registeredId } = (await response.json()) as { client_id: string };
    const registered = createOAuthClient({ server, clientId: registeredId, resource: RESOURCE, redirectUri });
    const tokens = await registered.connect();

    await server.forgetClient(registeredId);
    const refused = { status: 401, body: { error: 'invalid_client' } };
    expect(await registered.refresh(tokens.refresh_token)).toMatchObject(refused);
    expect(await server.isActive(tokens.access_token)).toBe(false);
    const { page } = await registered.authorize();
    expect(page).toMatchObject({ status: 400, text: expect.stringContaining('invalid_client') });
  });

  test.each(['client_secret_basic', 'client_secret_post'] as const)(
    'wants the secret of a client with %s, until the secret expires',
    async (authMethod) => {
      const secret = 'not-a-secret-outside-of-this-test';
      clientId = await server.addClient({ redirectUris: [REDIRECT_URI], secret, authMethod });
      const as = { server, clientId, resource: RESOURCE };
      client = createOAuthClient({ ...as, secret });
      const { refresh_token: token } = await client.connect();
      const refused = { body: { error: 'invalid_client' } };
      const byForm = { client_id: clientId, client_secret: secret };
      expect(await createOAuthClient(as).refresh(token)).toMatchObject(refused);
      expect(await createOAuthClient({ ...as, secret: 'another' }).refresh(token)).toMatchObject(refused);
      const { status, body } = await createOAuthClient(as).refresh(token, byForm);
      expect(status).toBe(200);
      await server.expireRegistration(clientId);
      expect(await client.refresh(body.refresh_token)).toMatchObject(refused);
    },
  );
});

describe('an authorization server that differs', () => {
  test('issues JWTs, takes the one resource for granted, and shares a grant in a browser session', async () => {
    const fetched: string[] = [];
    const documentUrl = 'https://client.example/metadata';
    const other = await startAuthorizationServer({
      resources: [RESOURCE],
      resourceRequired: false,
      accessTokenFormat: 'jwt',
      accessTokenTtlSeconds: 60,
      sharesGrants: true,
      fetchClientMetadata: async ({ url }) => {
        fetched.push(url);
        const document = { client_id: documentUrl, client_name: 'Test', redirect_uris: [REDIRECT_URI] };
        return Response.json({ ...document, token_endpoint_auth_method: 'none' });
      },
    });
    try {
      const user = createOAuthClient({ server: other, clientId: documentUrl, resource: RESOURCE, browser });
      const first = await user.connect({ resource: undefined });
      expect(first).toMatchObject({ expires_in: 60, scope: 'mcp:tools' });
      expect(await other.introspect(first.access_token)).toMatchObject({ active: true, aud: RESOURCE, sub: 'alice' });
      expect(await other.isActive(`${first.access_token}x`)).toBe(false);
      expect(fetched).toEqual([documentUrl]);
      const second = await user.connect();
      await user.revoke(first.refresh_token);
      expect(await user.refresh(second.refresh_token)).toMatchObject(INVALID_GRANT);
    } finally {
      await other.close();
    }
  });
});

describe('intercepting requests', () => {
  test('the next requests of a path fail as planned, and the one after does not', async () => {
    const { refresh_token: token } = await client.connect();
    const headers = { 'content-type': 'application/json', 'retry-after': '7' };
    server.failNext('/token', { status: 429, headers, body: '{"error":"slow_down"}' }, 2);
    const form = new URLSearchParams({ refresh_token: token });
    const failed = await fetch(server.endpoints.token, { method: 'POST', body: form });
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([429, '7']);
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', path: '/token' });
    expect(server.requests.at(-1)?.form?.get('refresh_token')).toBe(token);
    expect(await client.refresh(token)).toMatchObject({ status: 429, body: { error: 'slow_down' } });
    expect(await client.refresh(token)).toMatchObject({ status: 200 });
  });

  test('a connection is dropped, and a hanging request waits for its client to give up', async () => {
    server.failNext('/token', 'drop');
    await expect(client.refresh('any')).rejects.toThrow('fetch failed');
    server.failNext('/jwks', 'hang');
    const patience = new AbortController();
    const hanging = fetch(server.endpoints.jwks, { signal: patience.signal });
    // The answer to a later request is here, and none to the first.
    expect((await fetch(server.endpoints.metadata)).status).toBe(200);
    patience.abort();
    await expect(hanging).rejects.toThrow('aborted');
  });

  test('a held request has no effect until it is released', async () => {
    const { refresh_token: token } = await client.connect();
    const hold = server.holdNext('/token');
    const held = client.refresh(token);
    await hold.arrived;
    const second = (await client.refresh(token)).body;
    expect(await server.isActive(second.access_token)).toBe(true);
    hold.release();
    expect(await held).toMatchObject(INVALID_GRANT);
    expect(await server.isActive(second.access_token)).toBe(false);
  });

  test('a held request that is dropped has no effect', async () => {
    const { refresh_token: token } = await client.connect();
    const hold = server.holdNext('/token');
    const lost = client.refresh(token);
    await hold.arrived;
    hold.drop();
    await expect(lost).rejects.toThrow('fetch failed');
    expect(await client.refresh(token)).toMatchObject({ status: 200 });
  });

  test('a lost answer has its effect on the server, without the client knowing', async () => {
    const { refresh_token: token } = await client.connect();
    const hold = server.holdNext('/token', 'answer');
    const lost = client.refresh(token);
    await hold.arrived;
    hold.drop();
    await expect(lost).rejects.toThrow('fetch failed');
    expect(await client.refresh(token)).toMatchObject(INVALID_GRANT);
  });

  test('a delayed answer arrives complete', async () => {
    const { refresh_token: token } = await client.connect();
    const hold = server.holdNext('/token', 'answer');
    const late = client.refresh(token);
    await hold.arrived;
    hold.release();
    expect(await late).toMatchObject({ status: 200, body: { refresh_token: expect.any(String) } });
  });
});

describe('the protected MCP server', () => {
  const SCOPES = ['tools:list', 'tools:call'];
  let mcp: ProtectedMcpServer;
  beforeAll(async () => {
    mcp = await startProtectedMcpServer({ authorizationServer: server, path: '/team/mcp', scopes: SCOPES });
  });
  afterAll(() => mcp?.close());

  const findChallenge = async (token?: string): Promise<{ status: number; challenge: string | null }> => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(mcp.url, { method: 'POST', headers });
    return { status: response.status, challenge: response.headers.get('www-authenticate') };
  };

  test('tells unauthenticated callers where to get a token', async () => {
    const pointer = new URL(mcp.metadataPath, mcp.url).href;
    expect(pointer).toMatch(/\/\.well-known\/oauth-protected-resource\/team\/mcp$/);
    expect(await findChallenge()).toEqual({
      status: 401,
      challenge: `Bearer resource_metadata="${pointer}", scope="tools:list tools:call"`,
    });
    expect(await (await fetch(pointer)).json()).toEqual({
      resource: mcp.url,
      authorization_servers: [server.issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: SCOPES,
    });
    await expect(listTools(mcp.url)).rejects.toThrow('401');
  });

  test('lists the tools of a real server to a token for it, until the token ends', async () => {
    const { access_token: token } = await client.connect({ resource: mcp.url });
    expect(await listTools(mcp.url, token)).toEqual(expect.arrayContaining(['echo', 'get-sum']));
    expect(mcp.seenTokens).toContain(token);
    await server.expireToken(token);
    await expect(listTools(mcp.url, token)).rejects.toThrow('401');
  });

  test('refuses a token for another audience, a revoked token and an invented one', async () => {
    const { access_token: foreign } = await client.connect();
    expect(await server.isActive(foreign)).toBe(true);
    const { access_token: revoked } = await client.connect({ resource: mcp.url });
    await client.revoke(revoked);
    for (const token of [foreign, revoked, 'made-up']) {
      const { status, challenge } = await findChallenge(token);
      expect([status, challenge]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
    }
  });

  test('names the scope that a token lacks', async () => {
    const { access_token: token } = await client.connect({ resource: mcp.url, scope: 'tools:list' });
    const { status, challenge } = await findChallenge(token);
    expect(status).toBe(403);
    expect(challenge).toContain('error="insufficient_scope", scope="tools:call"');
  });

  // The real server sends a keep-alive every 15 seconds: a buffering proxy is too late.
  test('passes streams on while they run', async () => {
    const { access_token: token } = await client.connect({ resource: mcp.url });
    const headers = {
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    };
    const post = (message: object, session = {}): Promise<Response> =>
      fetch(mcp.url, { method: 'POST', headers: { ...headers, ...session }, body: JSON.stringify(message) });
    const clientInfo = { name: 'test', version: '0' };
    const params = { protocolVersion: '2025-06-18', capabilities: { roots: {} }, clientInfo };
    const started = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    await started.text();
    const session = { 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' };
    const patience = new AbortController();
    const stream = await fetch(mcp.url, { headers: { ...headers, ...session }, signal: patience.signal });
    expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);

    // The server asks its client for roots on the stream, which has no end.
    await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, session);
    let events = '';
    for await (const chunk of stream.body ?? []) {
      events += Buffer.from(chunk).toString();
      if (events.includes('"roots/list"')) break;
    }
    expect(events).toContain('"roots/list"');
    patience.abort();
  });
});
