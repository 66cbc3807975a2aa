import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Imports, openImports } from './import-client.ts';

// Credentials in files from public bug reports and repositories.

let imports: Imports;
beforeAll(async () => {
  imports = await openImports();
});
beforeEach(() => imports.clear());
afterAll(() => imports?.gateway.close());

const file = (mcpServers: Record<string, unknown>) => ({ mcpServers });
const one = (entry: object) => file({ it: { url: 'https://it.example/mcp', ...entry } });

// I10. Codex, the TypeScript SDK and others have other names for headers.
describe('headers under another name', () => {
  test('are read, and the names of environment variables are asked for', async () => {
    const entry = one({
      http_headers: { Authorization: 'Bearer x' },
      bearerTokenEnvVar: 'TOK',
      envHttpHeaders: { 'X-Tenant': 'TEN' },
    });
    const dry = await imports.dryRun(entry);
    expect(dry.servers[0]?.missingSecrets.map(({ placeholder, header }) => [header, placeholder])).toEqual([
      ['Authorization', 'TOK'],
      ['X-Tenant', 'TEN'],
    ]);
    await imports.apply(entry, { secrets: { it: { TOK: 't', TEN: 'n' } } });
    expect(await imports.headersOf('it')).toEqual({ Authorization: 'Bearer t', 'X-Tenant': 'n' });
  });

  test.each([
    [{ http_headers: { 'X-K': 'v' } }, { 'X-K': 'v' }],
    [{ httpHeaders: { 'X-K': 'v' } }, { 'X-K': 'v' }],
    [{ requestInit: { headers: { 'X-K': 'v' } } }, { 'X-K': 'v' }],
    [{ requestOptions: { headers: { 'X-K': 'v' } } }, { 'X-K': 'v' }],
    [{ static_headers: { 'X-K': 'v' } }, { 'X-K': 'v' }],
    [{ custom_headers: { 'X-K': 'v' } }, { 'X-K': 'v' }],
    [{ headers: [{ name: 'X-K', value: 'v' }] }, { 'X-K': 'v' }],
    [{ headers: [{ key: 'X-K', value: 1 }] }, { 'X-K': '1' }],
    [{ headers: ['X-K: v', 'X-L: w'] }, { 'X-K': 'v', 'X-L': 'w' }],
    [{ headers: 'X-K: v\nX-L: w' }, { 'X-K': 'v', 'X-L': 'w' }],
    [{ headers: { 'X-K': true, 'X-L': 30 } }, { 'X-K': 'true', 'X-L': '30' }],
    [{ bearerToken: 'abc' }, { Authorization: 'Bearer abc' }],
    [{ authorization_token: 'abc' }, { Authorization: 'Bearer abc' }],
    [{ authorization: 'Bearer abc' }, { Authorization: 'Bearer abc' }],
    [{ transport: { type: 'sse', url: 'https://it.example/sse', headers: { 'X-K': 'v' } } }, { 'X-K': 'v' }],
  ])('%j', async (entry, expected) => {
    const { servers } = await imports.apply(one(entry));
    expect(servers[0]).toMatchObject({ applied: true, error: null });
    expect(await imports.headersOf('it')).toEqual(expected);
  });

  test.each([{ extra_headers: ['authorization', 'x-tenant'] }])('are not those to pass on: %j', async (entry) => {
    const { servers } = await imports.apply(one(entry));
    expect(servers[0]).toMatchObject({ applied: true, config: { authType: 'NONE' } });
    expect(servers[0]?.notes.join()).toContain('passes no headers of its callers on');
  });
});

// I14. Everything under "auth" was OAuth 2.
describe('the kind of authentication', () => {
  test.each<[object, Record<string, string>, string[]]>([
    [{ auth: { mode: 'apiKey', headerName: 'X-Api-Key' } }, { 'X-Api-Key': 'v' }, ['X-Api-Key']],
    [{ auth: { type: 'api_key', header: 'X-K', value: 'k' } }, { 'X-K': 'k' }, []],
    [{ auth: { type: 'apiKey', key: 'k' } }, { 'X-API-Key': 'k' }, []],
    [{ auth: { type: 'bearer', token: 'k' } }, { Authorization: 'Bearer k' }, []],
    [{ auth: { type: 'bearer', token: `\u0024{T}` } }, { Authorization: 'Bearer v' }, ['T']],
    [{ auth: { type: 'bearer', env: 'T' } }, { Authorization: 'Bearer v' }, ['T']],
    [{ auth: 'bearer' }, { Authorization: 'Bearer v' }, ['Authorization']],
    [{ auth: 'eyJhbGciOi.J9' }, { Authorization: 'Bearer eyJhbGciOi.J9' }, []],
    [{ auth: { type: 'basic', username: 'u', password: 'p' } }, { Authorization: 'Basic dTpw' }, []],
    [
      { auth: { type: 'basic', username: 'u', password: `\u0024{P}` } },
      { Authorization: 'Basic v' },
      ['Authorization'],
    ],
    [{ auth: { type: 'none' } }, {}, []],
    [{ auth_type: 'bearer_token', auth_value: 'k' }, { Authorization: 'Bearer k' }, []],
    [{ auth_type: 'api_key', authentication_token: 'k' }, { 'X-API-Key': 'k' }, []],
    [{ auth_type: 'authorization', auth_value: 'Custom k' }, { Authorization: 'Custom k' }, []],
    [{ auth_type: 'bearer', key: 'k' }, { Authorization: 'Bearer k' }, []],
    [{ apiKey: { source: 'admin', authorization_type: 'custom', custom_header: 'X-K', key: 'k' } }, { 'X-K': 'k' }, []],
    [{ apiKey: { source: 'user', authorization_type: 'bearer' } }, { Authorization: 'Bearer v' }, ['Authorization']],
    [{ apiKey: 'k' }, { Authorization: 'Bearer k' }, []],
    [{ headers: { 'X-Api-Key': 'h' }, auth: { mode: 'apiKey', headerName: 'x-api-key' } }, { 'X-Api-Key': 'h' }, []],
  ])('%j is sent as it says', async (entry, expected, placeholders) => {
    const dry = await imports.dryRun(one(entry));
    expect(dry.servers[0]?.missingSecrets.map(({ placeholder }) => placeholder)).toEqual(placeholders);
    const secrets = { it: Object.fromEntries(placeholders.map((name) => [name, 'v'])) };
    expect((await imports.apply(one(entry), { secrets })).servers[0]).toMatchObject({ applied: true, error: null });
    expect(await imports.headersOf('it')).toEqual(expected);
  });

  test.each([
    [{ auth: { mode: 'clientCredentials', tokenUrl: 'https://c.example/t' } }, /client credentials/],
    [{ oauth: { grant_type: 'client_credentials', clientId: 'c' } }, /client credentials/],
    [{ auth_type: 'oauth2', oauth2_flow: 'client_credentials', client_id: 'c' }, /client credentials/],
    [
      { auth_type: 'oauth2', client_id: 'c', client_secret: 's', token_url: 'https://c.example/t' },
      /client credentials/,
    ],
    [{ auth: { type: 'aws_sigv4' } }, /does not have/],
    [{ authProviderType: 'google_credentials' }, /does not have/],
    [{ auth: { type: 'apiKey', in: 'query', name: 'key' } }, /not sent in a header/],
  ])('%j is skipped with the reason', async (entry, reason) => {
    const { servers } = await imports.apply(one(entry));
    expect(servers[0]).toMatchObject({ kind: 'SKIP', applied: false });
    expect(servers[0]?.notes[0]).toMatch(reason);
    expect(await imports.urls()).toEqual({});
  });
});
