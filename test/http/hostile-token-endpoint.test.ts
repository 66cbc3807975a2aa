import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readAllRows } from '../graphql/database-rows.ts';
import { countUserTokens } from '../graphql/user-tokens.ts';
import {
  type BegunConnection,
  CANARY,
  CLIENT,
  type ConnectionAnswer,
  GIVEN,
  type HostileProvider,
  type HostileWorld,
  openHostileWorld,
} from '../setup/hostile-provider.ts';
import { openSession } from './browser-session.ts';
import { SERVERS } from './rest-client.ts';

let world: HostileWorld;
let provider: HostileProvider;
let session: string;

beforeAll(async () => {
  world = await openHostileWorld();
  provider = world.provider;
  session = await openSession(world.gateway, world.gateway.tokens.member);
});
beforeEach(() => provider.reset());
afterEach(() => vi.restoreAllMocks());
afterAll(() => world?.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const TOKENS = { access_token: GIVEN.accessToken, refresh_token: GIVEN.refreshToken, token_type: 'Bearer' };
const SAYS = { error_description: CANARY, error_uri: `https://${CANARY}.example.com/`, [CANARY]: CANARY };

async function begin(fields: Record<string, unknown> = {}): Promise<BegunConnection> {
  return world.begin(await world.define(fields), session);
}

function bring(begun: BegunConnection, accept = 'application/json'): Promise<ConnectionAnswer> {
  const iss = { iss: provider.issuer };
  const cookies = [session, begun.cookie];
  return world.bring(begun, { cookies, answer: { ...begun.answer, ...iss }, headers: { accept } });
}

/** Expects that no token was stored, nothing of the provider is shown or logged, and the flow cannot be retried. */
async function expectUpstreamFailed(begun: BegunConnection, answer: ConnectionAnswer): Promise<void> {
  expect(answer.status).toBe(502);
  world.expectNoTrace(begun, answer, [CANARY]);
  if (answer.headers.get('content-type')?.includes('json') === true) {
    expect(JSON.parse(answer.text)).toEqual({ code: 'UPSTREAM_FAILED', message: expect.any(String) });
  }
  expect(await countUserTokens(world.gateway, begun.configId)).toBe(0);
  expect(await world.isKept(begun)).toBe(false);
}

/** The gateway waits 10 s for an answer; a test need not. */
function hurryTimeouts(): void {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(Math.min(ms, 1_000)));
}

const answerWith =
  (body: string | Buffer, headers: Record<string, string> = JSON_TYPE, status = 200): RequestListener =>
  (_request, response) =>
    response.writeHead(status, headers).end(body);
const answerJson = (change: Record<string, unknown>, status = 200) =>
  answerWith(JSON.stringify({ ...TOKENS, ...SAYS, ...change }), JSON_TYPE, status);

/** Invalid OAuth token responses. More of them are in test/oauth/token-refusals.test.ts. */
const BAD: Record<string, RequestListener> = {
  'a page': answerWith(`<html>${CANARY}</html>`, { 'content-type': 'text/html' }),
  'tokens in a form': answerWith(new URLSearchParams(TOKENS).toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  }),
  'half an object': answerWith(JSON.stringify({ ...TOKENS, ...SAYS }).slice(0, -1)),
  'an error beside tokens': answerJson({ error: 'invalid_grant' }),
  'no access token': answerJson({ access_token: undefined }),
  'an empty access token': answerJson({ access_token: '' }),
  'an access token with a line break': answerJson({ access_token: `${GIVEN.accessToken}\r\nX-${CANARY}: 1` }),
  'the token type DPoP, which nobody asked for': answerJson({ token_type: 'DPoP' }),
  'scopes with a NUL': answerJson({ scope: 'read\u0000write' }),
  '10 MB': answerWith(`${JSON.stringify(TOKENS)}${' '.repeat(10_000_000)}`),
  '10 MB without telling': (_request, response) => {
    response.writeHead(200, JSON_TYPE).write(JSON.stringify(TOKENS));
    for (let left = 160; left > 0; left -= 1) response.write(' '.repeat(65_536));
    response.end();
  },
  'what would be 10 MB when it is unpacked': answerWith(gzipSync(' '.repeat(10_000_000)), {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  }),
  'tokens that say that they are packed, and are not': answerWith(JSON.stringify(TOKENS), {
    ...JSON_TYPE,
    'content-encoding': 'gzip',
  }),
  'a redirect to itself': (_request, response) =>
    response.writeHead(307, { ...JSON_TYPE, location: '/token' }).end(JSON.stringify(TOKENS)),
  'a redirect to elsewhere': answerWith(JSON.stringify(TOKENS), { location: `/${CANARY}` }, 302),
  'the end of the connection': (_request, response) => response.destroy(),
  'the end of the connection in its midst': (_request, response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' }).write(JSON.stringify(TOKENS), () => {
      response.destroy();
    });
  },
  '429 and when to come again': answerWith('', { 'retry-after': '1' }, 429),
  '503 with tokens': answerJson({}, 503),
  'that the code is not good': answerWith(JSON.stringify({ error: 'invalid_grant', ...SAYS }), JSON_TYPE, 400),
  'an error that nobody knows': answerWith(JSON.stringify({ error: CANARY, ...SAYS }), JSON_TYPE, 400),
  'headers of 20,000 letters': answerWith(JSON.stringify(TOKENS), { ...JSON_TYPE, [CANARY]: 'a'.repeat(20_000) }),
};

describe('nothing is stored, shown or retried when the token endpoint answers with', () => {
  test.each(Object.entries(BAD))('%s', async (_what, listener) => {
    provider.answer('token', listener);
    const begun = await begin();
    await expectUpstreamFailed(begun, await bring(begun));
    expect(provider.log()).toEqual(['POST /token']);
  });

  test('nothing, or without an end', async () => {
    hurryTimeouts();
    for (const listener of [
      () => undefined,
      (_request, response) => void response.writeHead(200, JSON_TYPE).write(JSON.stringify(TOKENS)),
    ] satisfies RequestListener[]) {
      provider.reset();
      provider.answer('token', listener);
      const begun = await begin();
      await expectUpstreamFailed(begun, await bring(begun));
      expect(provider.log()).toEqual(['POST /token']);
    }
  });

  // Opens its own gateway.
  test('a refused connection', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => gone.once('listening', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const own = await openHostileWorld({ GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' });
    try {
      const cookie = await openSession(own.gateway, own.gateway.tokens.member);
      const begun = await own.begin(await own.define({ oauth2_token_url: `http://127.0.0.1:${port}/token` }), cookie);
      const answer = await own.bring(begun, { cookies: [cookie, begun.cookie] });
      expect(answer.status).toBe(502);
      await own.expectNothing(begun, answer);
    } finally {
      await own.close();
    }
  });

  test('500, for a person too', async () => {
    provider.answer('token', answerWith(`<script>${CANARY}</script>`, { 'content-type': 'text/html' }, 500));
    const begun = await begin();
    const answer = await bring(begun, 'text/html');
    await expectUpstreamFailed(begun, answer);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(answer.text).not.toContain('<script');
  });
});

test('a caller who may not see the token endpoint does not learn it from a failure', async () => {
  const begun = await begin({ oauth2_token_url: 'https://10.11.12.13:4443/token' });
  const answer = await bring(begun);
  await expectUpstreamFailed(begun, answer);
  expect(answer.text).not.toMatch(/10\.11\.12\.13|4443/);
});

describe('a client whose secret is wrong', () => {
  const basic = `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}`;
  /** How the client authenticated, request by request. */
  const readMethods = () =>
    provider.requestsTo('token').map(({ headers, body }) => {
      const form = new URLSearchParams(body);
      const isBasic = headers.authorization === basic && !form.has('client_secret') && !form.has('client_id');
      const isPost =
        headers.authorization === undefined &&
        form.get('client_secret') === CLIENT.secret &&
        form.get('client_id') === CLIENT.id;
      return isBasic ? 'basic' : isPost ? 'post' : 'neither';
    });
  const refuse = answerWith(
    JSON.stringify({ error: 'invalid_client', ...SAYS }),
    { ...JSON_TYPE, 'www-authenticate': `Basic realm="${CANARY}"` },
    401,
  );

  test.each<[string, unknown, string[]]>([
    ['nothing is known of its server', undefined, ['basic', 'post']],
    ['its server lists both', ['client_secret_post', 'client_secret_basic'], ['basic', 'post']],
    ['its server lists one', ['client_secret_post'], ['post']],
    ['its server lists the other', ['client_secret_basic', 'private_key_jwt'], ['basic']],
  ])('is refused after each way once, when %s', async (what, listed, methods) => {
    provider.spoilMetadata({ token_endpoint_auth_methods_supported: listed });
    provider.answer('token', refuse);
    // An issuer's metadata is cached for a while.
    world.gateway.clock.advance(600_000);
    const begun = await begin(what.startsWith('nothing') ? {} : { oauth2_issuer: provider.issuer });
    await expectUpstreamFailed(begun, await bring(begun));
    expect(readMethods()).toEqual(methods);
  });

  test('is recognised when only the second authentication method is accepted', async () => {
    provider.answer('token', (request, response) => {
      if (request.headers.authorization !== undefined) return refuse(request, response);
      answerWith(JSON.stringify(TOKENS))(request, response);
    });
    const begun = await begin();
    const answer = await bring(begun);
    expect(answer.status).toBe(200);
    world.expectNoTrace(begun, answer, [CANARY]);
    expect(readMethods()).toEqual(['basic', 'post']);
    expect(await countUserTokens(world.gateway, begun.configId)).toBe(1);
  });
});

describe('a server whose discovery fails is neither stored nor registered', () => {
  type Failing = [what: string, step: string, spoil: () => void];
  const metadata = (change: () => Record<string, unknown>) => () => provider.spoilMetadata(change());
  const RESOURCE = 'protected_resource_metadata';
  const METADATA = 'authorization_server_metadata';
  const bad = `http://127.0.0.1:1/${CANARY}`;
  const cases: Failing[] = [
    [
      'a challenge that names a script',
      'challenge',
      () => provider.challenge('Bearer resource_metadata="javascript:1"'),
    ],
    [
      'metadata of another resource',
      RESOURCE,
      () => provider.spoilResource({ resource: `${provider.origin}/${CANARY}` }),
    ],
    ['no authorization server', RESOURCE, () => provider.spoilResource({ authorization_servers: [] })],
    ['an authorization server by http', RESOURCE, () => provider.spoilResource({ authorization_servers: [bad] })],
    [
      'a script as authorization server',
      RESOURCE,
      () => provider.spoilResource({ authorization_servers: ['javascript:1'] }),
    ],
    ['metadata of another issuer', METADATA, metadata(() => ({ issuer: `${provider.issuer}/` }))],
    ['no PKCE', METADATA, metadata(() => ({ code_challenge_methods_supported: undefined }))],
    ['PKCE in the clear', METADATA, metadata(() => ({ code_challenge_methods_supported: ['plain'] }))],
    ['no code flow', METADATA, metadata(() => ({ response_types_supported: ['token'] }))],
    [
      'a script to authorize at',
      METADATA,
      metadata(() => ({ authorization_endpoint: `javascript:alert('${CANARY}')` })),
    ],
    ['data to authorize at', METADATA, metadata(() => ({ authorization_endpoint: `data:text/html,${CANARY}` }))],
    ['an authorization endpoint by http', METADATA, metadata(() => ({ authorization_endpoint: bad }))],
    ['a token endpoint by http', METADATA, metadata(() => ({ token_endpoint: bad }))],
    ['a revocation endpoint by http', METADATA, metadata(() => ({ revocation_endpoint: bad }))],
    ['a registration endpoint by http', METADATA, metadata(() => ({ registration_endpoint: bad }))],
    ['no way to become a client', 'client_registration', metadata(() => ({ registration_endpoint: undefined }))],
    ['a redirect', METADATA, () => provider.answer('metadata', answerWith('', { location: `/${CANARY}` }, 302))],
  ];
  const input = (slug: string) => ({
    display_name: slug,
    slug,
    url: provider.serverUrl,
    auth_type: 'oauth2',
    enabled: true,
  });
  const mutation = `mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }`;
  // The use of the admin's token is recorded once an hour; here before rows are compared.
  beforeEach(() => world.rest.call('admin', 'GET', SERVERS));

  const attempt = async () => {
    const byRest = await world.rest.call('admin', 'POST', SERVERS, input('never'));
    const { data, errors } = await world.gateway.graphql(mutation, {
      token: world.gateway.tokens.admin,
      variables: { input: { displayName: 'Never', slug: 'never', url: provider.serverUrl, authType: 'OAUTH2' } },
    });
    return { byRest, data, error: errors?.[0] };
  };

  test.each(cases)('with %s', async (_what, step, spoil) => {
    spoil();
    const before = await readAllRows(world.gateway.database);
    const { byRest, data, error } = await attempt();
    expect(byRest.status).toBe(502);
    expect(byRest.body).toEqual({ code: 'UPSTREAM_FAILED', message: expect.any(String) });
    expect([data, error.extensions]).toEqual([null, { code: 'UPSTREAM_FAILED', step }]);
    for (const said of [byRest.text, JSON.stringify(error), world.gateway.logs()]) expect(said).not.toContain(CANARY);
    expect(await readAllRows(world.gateway.database)).toEqual(before);
    expect(provider.requestsTo('registration')).toEqual([]);
  });

  test.each<[string, RequestListener]>([
    ['a refusal', answerWith(JSON.stringify({ error: 'invalid_redirect_uri', ...SAYS }), JSON_TYPE, 400)],
    ['a page', answerWith(CANARY, { 'content-type': 'text/html' }, 201)],
    ['another redirect URI', answerWith(JSON.stringify({ client_id: CANARY, redirect_uris: [bad] }), JSON_TYPE, 201)],
    ['a client id with a line break', answerWith(JSON.stringify({ client_id: `${CANARY}\n` }), JSON_TYPE, 201)],
    ['a redirect', answerWith('', { location: `/${CANARY}` }, 307)],
  ])('with this answer to its registration: %s', async (_what, listener) => {
    provider.answer('registration', listener);
    const before = await readAllRows(world.gateway.database);
    const { byRest, error } = await attempt();
    expect(byRest.status).toBe(502);
    expect(error.extensions).toEqual({ code: 'UPSTREAM_FAILED', step: 'client_registration' });
    for (const said of [byRest.text, JSON.stringify(error), world.gateway.logs()]) expect(said).not.toContain(CANARY);
    expect(await readAllRows(world.gateway.database)).toEqual(before);
    expect(provider.requestsTo('registration')).toHaveLength(2);
  });

  test('nor one whose slug is taken, and a dry run registers nothing', async () => {
    await world.rest.define(input('taken'));
    provider.reset();
    expect((await world.rest.call('admin', 'POST', SERVERS, input('taken'))).status).toBe(409);
    expect(provider.log()).toEqual([]);
    const before = await readAllRows(world.gateway.database);
    const dryRun = `{ discoverMcpServerOAuth(url: "${provider.serverUrl}") { problems clientMode } }`;
    const { data } = await world.gateway.graphql(dryRun, { token: world.gateway.tokens.admin });
    expect(data.discoverMcpServerOAuth).toEqual({ problems: [], clientMode: 'REGISTERED' });
    expect(provider.requestsTo('registration')).toEqual([]);
    expect(await readAllRows(world.gateway.database)).toEqual(before);
  });
});
