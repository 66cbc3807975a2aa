import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import {
  ClientRegistrationError,
  type RegisterClientOptions,
  registerClient,
} from '../../../src/domain/oauth/discovery/client-registration.ts';
import { createSafeFetch } from '../../../src/outbound/safe-fetch.ts';
import { type HandmadeServer, startHandmadeServer } from '../../setup/handmade-server.ts';
import { CANARY } from './discovery-bench.ts';

const REDIRECT_URI = 'https://gatehouse.example.com/callback';
const SECRET = 'not-a-secret-outside-of-this-test';
const ALL_METHODS = ['private_key_jwt', 'none', 'client_secret_post', 'client_secret_basic'];

let server: HandmadeServer;
let closeFetch: (() => Promise<void>) | undefined;

beforeEach(async () => {
  server = await startHandmadeServer();
});

afterEach(async () => {
  await closeFetch?.();
  await server.close();
});

function register(options: Partial<RegisterClientOptions> & { opened?: string; timeoutMs?: number } = {}) {
  const { opened = '127.0.0.0/8', timeoutMs, ...rest } = options;
  const ranges = readConfig({ GATEHOUSE_ALLOWED_PRIVATE_CIDRS: opened }).allowedPrivateRanges;
  const { fetch, close } = createSafeFetch({ ranges, ...(timeoutMs !== undefined && { timeoutMs }) });
  closeFetch = close;
  return registerClient({
    fetch,
    registrationEndpoint: `${server.url}/register`,
    redirectUri: REDIRECT_URI,
    clientName: 'Gatehouse',
    clientUri: 'https://gatehouse.example.com',
    tokenAuthMethods: ALL_METHODS,
    scopes: ['a', 'b'],
    ...rest,
  });
}

/** Answers as an honest server does, with changes. */
function answer(change: Record<string, unknown> = {}, status = 201): void {
  const honest = { client_id: 'client-1', client_secret: SECRET, client_secret_expires_at: 0, client_name: CANARY };
  server.onJson('/register', { ...honest, [CANARY]: CANARY, ...change }, status);
}

const sent = (): Record<string, unknown> => JSON.parse(server.requests[0]?.body ?? '');

describe('a registration', () => {
  test('describes the gateway and returns the client as the server registered it', async () => {
    answer({ redirect_uris: ['https://other.example.com/', REDIRECT_URI] });
    const client = await register();
    expect(client).toMatchObject({
      clientId: 'client-1',
      secretExpiresAt: null,
      tokenAuthMethod: 'client_secret_basic',
    });
    expect(client.clientSecret?.expose()).toBe(SECRET);
    expect(server.log).toEqual(['POST /register']);
    expect(server.requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      accept: 'application/json',
    });
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(sent()).toEqual({
      redirect_uris: [REDIRECT_URI],
      client_name: 'Gatehouse',
      client_uri: 'https://gatehouse.example.com',
      application_type: 'web',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'a b',
    });
  });

  test('wraps the secret so that it is not printed', async () => {
    answer();
    const client = await register();
    expect(`${JSON.stringify(client)} ${inspect(client, { depth: 9 })}`).not.toContain(SECRET);
  });

  test('requests no scope if there is none to request', async () => {
    answer();
    await register({ scopes: [] });
    expect(sent()).not.toHaveProperty('scope');
  });

  test.each([
    ['http://localhost:4000/callback', 'native'],
    ['http://127.0.0.1:4000/callback', 'native'],
    ['http://[::1]:4000/callback', 'native'],
    ['https://gatehouse.example.com/callback', 'web'],
    ['https://localhost.example.com/callback', 'web'],
  ])('with the redirect URI %s is of the type %s', async (redirectUri, type) => {
    answer();
    await register({ redirectUri });
    expect(sent()['application_type']).toBe(type);
  });

  test.each([
    [ALL_METHODS, 'client_secret_basic'],
    [['none', 'client_secret_post'], 'client_secret_post'],
    [['tls_client_auth', 'none'], 'none'],
  ])('where the server supports %j requests %s', async (tokenAuthMethods, method) => {
    answer();
    const client = await register({ tokenAuthMethods });
    expect(sent()['token_endpoint_auth_method']).toBe(method);
    expect(client.tokenAuthMethod).toBe(method);
  });

  test.each<[string, Record<string, unknown>, Date | null]>([
    ['for ever with 0', { client_secret_expires_at: 0 }, null],
    ['for ever with nothing', { client_secret_expires_at: undefined }, null],
    ['for ever with null', { client_secret_expires_at: null }, null],
    ['until a second', { client_secret_expires_at: 1_900_000_000 }, new Date('2030-03-17T17:46:40Z')],
    ['until within a second', { client_secret_expires_at: 1_900_000_000.9 }, new Date('2030-03-17T17:46:40Z')],
    ['until a second in text', { client_secret_expires_at: '1900000000' }, new Date('2030-03-17T17:46:40Z')],
    ['for ever with 0 in text', { client_secret_expires_at: '0' }, null],
    ['for ever with an empty text', { client_secret_expires_at: '' }, null],
    ['for ever with a text', { client_secret_expires_at: CANARY }, null],
    ['for ever with -1', { client_secret_expires_at: -1 }, null],
    ['for ever with a list', { client_secret_expires_at: [1] }, null],
    ['for ever beyond the year 9999', { client_secret_expires_at: Number.MAX_SAFE_INTEGER }, null],
  ])('has a secret %s', async (_what, change, expected) => {
    answer(change);
    expect((await register()).secretExpiresAt).toEqual(expected);
  });

  test.each<[string, Record<string, unknown>]>([
    ['no secret', { client_secret: undefined }],
    ['an empty secret', { client_secret: '' }],
    ['a secret that nobody asked for', {}],
  ])('as a public client with %s has none', async (_what, change) => {
    answer({ ...change, token_endpoint_auth_method: 'none', client_secret_expires_at: 1_900_000_000 });
    const expected = { clientId: 'client-1', clientSecret: null, secretExpiresAt: null, tokenAuthMethod: 'none' };
    expect(await register({ tokenAuthMethods: ['none'] })).toEqual(expected);
  });

  test('uses the method that the server chose instead', async () => {
    answer({ token_endpoint_auth_method: 'client_secret_post' });
    expect((await register()).tokenAuthMethod).toBe('client_secret_post');
  });

  test('is retried once without scopes if the server refuses them', async () => {
    const honest = { client_id: 'client-1', client_secret: SECRET };
    server.on('/register', (_request, response) => {
      if (server.requests.length === 1) response.writeHead(400).end('{"error":"invalid_client_metadata"}');
      else response.writeHead(201).end(JSON.stringify(honest));
    });
    expect((await register()).clientId).toBe('client-1');
    const [first, second, ...others] = server.requests.map(({ body }) => JSON.parse(body));
    expect(first).toEqual({ ...second, scope: 'a b' });
    expect(second).not.toHaveProperty('scope');
    expect(others).toEqual([]);
  });

  test.each([200, 202, 203])('accepts an answer with %i', async (status) => {
    answer({}, status);
    expect((await register()).clientId).toBe('client-1');
  });

  test.each<[string, Record<string, unknown>]>([
    ['null for a method', { token_endpoint_auth_method: null }],
    ['an empty method', { token_endpoint_auth_method: '', grant_types: null, response_types: null }],
    ['a list for a method', { token_endpoint_auth_method: ['none'] }],
    ['a text for redirect URIs', { redirect_uris: REDIRECT_URI }],
    ['no redirect URIs', { redirect_uris: [] }],
    ['a number for redirect URIs', { redirect_uris: 1 }],
    ['a list for scopes', { scope: ['a'], grant_types: 'authorization_code', contacts: 1 }],
  ])('accepts an answer with %s', async (_what, change) => {
    answer(change);
    expect(await register()).toMatchObject({ clientId: 'client-1', tokenAuthMethod: 'client_secret_basic' });
  });

  test.each<[string, Record<string, unknown>]>([
    ['no secret', { client_secret: undefined }],
    ['an empty secret', { client_secret: '' }],
    ['null for a secret', { client_secret: null }],
    ['a list for a secret', { client_secret: [SECRET] }],
  ])('with %s and no method is one of a public client', async (_what, change) => {
    answer({ ...change, token_endpoint_auth_method: '' });
    expect(await register()).toMatchObject({ clientSecret: null, tokenAuthMethod: 'none' });
  });
});

describe('a registration fails', () => {
  async function failure(options: Parameters<typeof register>[0] = {}): Promise<string> {
    const error = await register(options).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ClientRegistrationError);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(CANARY);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
    return (error as ClientRegistrationError).message;
  }

  test.each([
    'invalid_redirect_uri',
    'invalid_client_metadata',
    'invalid_software_statement',
    'unapproved_software_statement',
  ])('with the code %s, which is reported', async (code) => {
    server.onJson('/register', { error: code, error_description: CANARY, error_uri: CANARY }, 400);
    expect(await failure()).toContain(`(${code})`);
    expect(server.log).toHaveLength(code === 'invalid_client_metadata' ? 2 : 1);
  });

  test('without scopes at the first refusal', async () => {
    server.onJson('/register', { error: 'invalid_client_metadata' }, 400);
    expect(await failure({ scopes: [] })).toContain('(invalid_client_metadata)');
    expect(server.log).toHaveLength(1);
  });

  test.each<[string, unknown]>([
    ['a code that is not registered', { error: CANARY }],
    ['a code that every object has', { error: 'constructor' }],
    ['a code that is no text', { error: ['invalid_redirect_uri'] }],
    ['no code', { error_description: CANARY }],
    ['a list', [CANARY]],
  ])('with %s, and the status is reported', async (_what, body) => {
    server.onJson('/register', body, 400);
    expect(await failure()).toBe('The registration endpoint answered with HTTP status 400.');
  });

  test.each([401, 403])('with status %i, and the error says what to do', async (status) => {
    server.onText('/register', CANARY, status);
    expect(await failure()).toMatch(new RegExp(`status ${status}.*enter a client id`));
  });

  test.each([404, 500])('with status %i', async (status) => {
    answer({}, status);
    expect(await failure()).toContain(`HTTP status ${status}`);
  });

  test.each([`<title>${CANARY}</title>`, JSON.stringify([CANARY]), '', 'null'])('with the answer %j', async (text) => {
    server.onText('/register', text, 201);
    expect(await failure()).toContain('not a JSON object');
  });

  test.each<[string, RegExp, Record<string, unknown>]>([
    ['no client id', /"client_id"/, { client_id: undefined }],
    ['an empty client id', /"client_id"/, { client_id: '' }],
    ['a number for a client id', /"client_id"/, { client_id: 7 }],
    ['a client id of 2,049 characters', /"client_id"/, { client_id: CANARY.padEnd(2_049, 'x') }],
    ['a client id with a line break', /"client_id"/, { client_id: `${CANARY}\n` }],
    ['a client id beyond ASCII', /"client_id"/, { client_id: `${CANARY}\u0430` }],
    ['a secret of 4,097 characters', /"client_secret"/, { client_secret: SECRET.padEnd(4_097, 'x') }],
    ['a secret with a line break', /"client_secret"/, { client_secret: `${SECRET}\n` }],
    ['other redirect URIs', /redirect URIs/, { redirect_uris: [`${REDIRECT_URI}/`, `https://${CANARY}.example`] }],
    ['a method that the gateway does not do', /method/, { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a method that nobody knows', /method/, { token_endpoint_auth_method: CANARY }],
    [
      'a method that needs a secret, and none',
      /no secret/,
      {
        token_endpoint_auth_method: 'client_secret_post',
        client_secret: undefined,
      },
    ],
  ])('with %s', async (_what, reason, change) => {
    answer(change);
    expect(await failure()).toMatch(reason);
  });

  test('if the server supports no method of the gateway, without a request', async () => {
    answer();
    expect(await failure({ tokenAuthMethods: ['private_key_jwt', CANARY] })).toContain('client_secret_basic');
    expect(server.log).toEqual([]);
  });

  test('at an address that the gateway does not call', async () => {
    answer();
    for (const scheme of ['http', 'https']) {
      const registrationEndpoint = `${scheme}://127.0.0.1:${server.port}/register`;
      expect(await failure({ opened: '', registrationEndpoint })).toContain('GATEHOUSE_ALLOWED_PRIVATE_CIDRS');
    }
    expect(server.log).toEqual([]);
  });

  test('with a redirect, which is not followed', async () => {
    server.on('/register', (_request, response) => response.writeHead(307, { location: `/${CANARY}` }).end());
    expect(await failure()).toContain('redirect');
    expect(server.log).toEqual(['POST /register']);
  });

  test('with 300 KB', async () => {
    answer({ padding: 'x'.repeat(300_000) });
    expect(await failure()).toContain('more bytes');
  });

  test('without an answer in time', async () => {
    server.on('/register', () => undefined);
    expect(await failure({ timeoutMs: 500 })).toContain('in time');
  });
});
