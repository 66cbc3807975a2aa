import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import { exportServers } from '../../src/domain/server-files/export-servers.ts';
import { fillSecrets, listMissing } from '../../src/domain/server-files/fill-secrets.ts';
import type { ImportedServer } from '../../src/domain/server-files/imported-server.ts';
import { parseServerFile } from '../../src/domain/server-files/parse-server-file.ts';
import { apiKeyRecord, configRecord } from './config-record.ts';
import { listIssues } from './found-issues.ts';

const URL_ONLY = { url: 'https://mcp.example.com/mcp' };

function parseOne(file: object): ImportedServer {
  const [server] = parseServerFile(JSON.stringify(file)).servers;
  if (server === undefined) throw new Error('It was skipped.');
  return server;
}

const withHeaders = (headers: Record<string, string>) => parseOne({ mcpServers: { github: { ...URL_ONLY, headers } } });

const give = (secrets: Record<string, string>) =>
  new Map(Object.entries(secrets).map(([name, text]) => [name, new Secret(text)]));

describe('a secret in a file', () => {
  test.each([
    ['\u0024{input:github_token}', 'input:github_token', 's3cret'],
    ['Bearer \u0024{input:github_token}', 'input:github_token', 'Bearer s3cret'],
    ['\u0024{env:TOKEN}', 'env:TOKEN', 's3cret'],
    ['Basic \u0024{TOKEN} ', 'TOKEN', 'Basic s3cret '],
    ['\u0024{TOKEN:-}', 'TOKEN', 's3cret'],
    ['Bearer {token}', 'token', 'Bearer s3cret'],
    ['Bearer {{ api key }}', 'api key', 'Bearer s3cret'],
    ['token=<your token>;v=1', 'your token', 'token=s3cret;v=1'],
    ['Bearer $GITHUB_TOKEN', 'GITHUB_TOKEN', 'Bearer s3cret'],
    ['Bearer YOUR_GITHUB_PAT', 'YOUR_GITHUB_PAT', 'Bearer s3cret'],
    ['your-api-key', 'your-api-key', 's3cret'],
    ['console-YOUR-CONSOLE-API-KEY', 'console-YOUR-CONSOLE-API-KEY', 's3cret'],
    ['Bearer ...', 'X-Key', 'Bearer s3cret'],
    ['Bearer xxxxxxxx', 'X-Key', 'Bearer s3cret'],
    ['[redacted]', 'X-Key', 's3cret'],
    ['Bearer', 'X-Key', 'Bearer s3cret'],
    ['bearer ', 'X-Key', 'bearer s3cret'],
    ['', 'X-Key', 's3cret'],
    ['  ', 'X-Key', 's3cret'],
    ['\u0024{A:-\u0024{B}}', 'X-Key', 's3cret'],
    ['\u0024{never closed', 'X-Key', 's3cret'],
  ])('%j is asked for as %j and put into its place', (value, placeholder, filled) => {
    const server = withHeaders({ 'X-Key': value });
    expect(server.input).not.toHaveProperty('apiKeyValue');
    expect(listMissing(server, new Map())).toMatchObject([{ field: 'apiKeyValue', header: 'X-Key', placeholder }]);
    expect(fillSecrets(server, new Map())).not.toHaveProperty('apiKeyValue');

    const given = give({ [placeholder]: ' s3cret\n' });
    expect(listMissing(server, given)).toEqual([]);
    expect(fillSecrets(server, given).apiKeyValue?.expose()).toBe(filled);
  });

  test.each([
    'Bearer ghp_16C7e42F292c6912E7710c838347Ae178B4a',
    'pa$$word',
    'a{b}c',
    'p<q>r',
    '{"user": "x", "key": 5}',
    'cost $100',
    'dG9rZW46$ABC',
    'Bearers',
  ])('%j is taken as it is', (value) => {
    const server = withHeaders({ 'X-Key': value });
    expect(server.secrets).toEqual([]);
    expect(server.input.apiKeyValue?.expose()).toBe(value);
  });

  test("has the file's default unless another is given", () => {
    const server = withHeaders({ 'X-Region': '\u0024{REGION:-eu}' });
    expect(server.secrets).toEqual([]);
    expect(server.notes.join()).toMatch(/"REGION" uses the file's default/);
    expect(fillSecrets(server, new Map()).apiKeyValue?.expose()).toBe('eu');
    expect(fillSecrets(server, give({ REGION: 'us' })).apiKeyValue?.expose()).toBe('us');
  });

  test('is requested once even if several headers use it', () => {
    const server = withHeaders({ 'X-Key': '\u0024{TOKEN}', 'X-Same': 'v1 \u0024{TOKEN}', 'X-Plain': 'p' });
    expect(server.secrets).toMatchObject([{ field: 'customHeaders', header: 'X-Key', placeholder: 'TOKEN' }]);
    const { customHeaders } = fillSecrets(server, give({ TOKEN: 't' }));
    expect(customHeaders?.map(({ name, value }) => [name, value.expose()])).toEqual([
      ['X-Key', 't'],
      ['X-Same', 'v1 t'],
      ['X-Plain', 'p'],
    ]);
  });

  test('blocks all headers as long as one is missing', () => {
    const server = withHeaders({ 'X-Key': '\u0024{TOKEN}', 'X-Other': '\u0024{OTHER}', 'X-Plain': 'p' });
    expect(fillSecrets(server, give({ TOKEN: 't', OTHER: ' ' }))).not.toHaveProperty('customHeaders');
    expect(listMissing(server, give({ TOKEN: 't', OTHER: ' ' }))).toMatchObject([{ placeholder: 'OTHER' }]);
  });

  test('is never its placeholder, whatever surrounds it', () => {
    const text = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(text, text, fc.stringMatching(/^[\w:]{1,20}$/), (before, after, name) => {
        const server = withHeaders({ 'X-Key': `${before}\u0024{${name}}${after}` });
        expect(server.secrets.length).toBeGreaterThan(0);
        expect(server.input).not.toHaveProperty('apiKeyValue');
        const given = new Map(server.secrets.map(({ placeholder }) => [placeholder, new Secret('s3cret')]));
        const filled = fillSecrets(server, given).apiKeyValue?.expose();
        expect(filled).toContain('s3cret');
        expect(filled).not.toContain('\u0024{');
      }),
    );
  });
});

describe('custom headers of an export', () => {
  const server = parseOne({
    gatehouse: 1,
    servers: { github: { ...URL_ONLY, authType: 'CUSTOM_HEADERS', customHeaders: '\u0024{secret:customHeaders}' } },
  });

  test('are requested as a whole', () => {
    expect(server.secrets).toMatchObject([{ field: 'customHeaders', placeholder: 'secret:customHeaders' }]);
    const { customHeaders } = fillSecrets(server, give({ 'secret:customHeaders': '{"X-Key": "k", "__proto__": "p"}' }));
    expect(customHeaders?.map(({ name, value }) => [name, value.expose()])).toEqual([
      ['X-Key', 'k'],
      ['__proto__', 'p'],
    ]);
  });

  test.each(['hunter2', '["hunter2"]', '{}', '{"X-Key": 2}', '{"X-Key": "hunter2"'])('are refused as %j', (text) => {
    const issues = listIssues(() => fillSecrets(server, give({ 'secret:customHeaders': text })));
    expect(issues).toMatchObject([{ path: ['github', 'customHeaders'], code: 'WRONG_TYPE' }]);
    expect(JSON.stringify(issues)).not.toContain('hunter2');
  });

  test.each([
    [{ 'X-Key': 'k', 'X-Other': '\u0024{TOKEN}' }, ['TOKEN']],
    [[{ name: 'X-Key', value: '\u0024{secret:key}' }], ['secret:key']],
  ])('may be written one by one: %j', (customHeaders, placeholders) => {
    const written = parseOne({ gatehouse: 1, servers: { github: { ...URL_ONLY, customHeaders } } });
    expect(written.secrets.map(({ placeholder }) => placeholder)).toEqual(placeholders);
  });

  test('are cleared by null and by an empty list', () => {
    for (const customHeaders of [null, {}, []]) {
      const cleared = parseOne({
        gatehouse: 1,
        servers: { github: { ...URL_ONLY, customHeaders, apiKeyValue: null } },
      });
      expect(cleared.input.customHeaders ?? []).toEqual([]);
      expect(cleared.input).toHaveProperty('customHeaders');
      expect(cleared.input.apiKeyValue).toBeNull();
    }
  });
});

describe('an update', () => {
  const asks = withHeaders({ Authorization: 'Bearer \u0024{TOKEN}' });

  test('keeps the stored secret', () => {
    expect(listMissing(asks, new Map(), apiKeyRecord())).toEqual([]);
    expect(fillSecrets(asks, new Map(), apiKeyRecord())).not.toHaveProperty('apiKeyValue');
  });

  test.each([
    ['none is stored', apiKeyRecord({ hasApiKey: false })],
    ['the server moves', apiKeyRecord({ url: 'https://old.example.com/mcp' })],
    ['the header is another', apiKeyRecord({ apiKeyHeader: 'X-Key' })],
    ['the stored URL is none', apiKeyRecord({ url: 'none' })],
  ])('asks for it when %s', (_what, current) => {
    expect(listMissing(asks, new Map(), current)).toMatchObject([{ placeholder: 'TOKEN' }]);
    expect(listMissing(asks, give({ TOKEN: 't' }), current)).toEqual([]);
  });

  test('asks for the rest if only a part is given', () => {
    const server = withHeaders({ 'X-A': '\u0024{A}', 'X-B': '\u0024{B}' });
    const current = configRecord({ authType: 'custom_headers', hasCustomHeaders: true });
    expect(listMissing(server, new Map(), current)).toEqual([]);
    expect(listMissing(server, give({ A: 'a' }), current)).toMatchObject([{ placeholder: 'B' }]);
  });

  test('keeps the client secret only for the same client at the same place', () => {
    const auth = { clientId: 'abc', clientSecret: '\u0024{SECRET}', tokenUrl: 'https://as.example/token' };
    const server = parseOne({ mcpServers: { github: { ...URL_ONLY, oauth: auth } } });
    const current = configRecord({
      authType: 'oauth2',
      hasOAuth2Secret: true,
      oauth2ClientId: 'abc',
      oauth2TokenUrl: 'https://as.example/token',
    });
    expect(listMissing(server, new Map(), current)).toEqual([]);
    expect(listMissing(server, new Map(), { ...current, oauth2ClientId: 'other' })).toHaveLength(1);
    expect(listMissing(server, new Map(), { ...current, oauth2TokenUrl: 'https://other.example/token' })).toHaveLength(
      1,
    );
  });

  test('contains only changes, so that discovered settings stay discovered', () => {
    const current = configRecord({
      authType: 'oauth2',
      oauth2ClientId: 'abc',
      oauth2AuthUrl: 'https://as.example/authorize',
      oauth2TokenUrl: 'https://as.example/token',
      oauth2Scopes: ['read'],
      hasOAuth2Secret: true,
    });
    const exported = JSON.parse(exportServers([current])) as { servers: { github: object } };
    Object.assign(exported.servers.github, { description: 'New', oauth2Scopes: [' read ', 'read'] });
    expect(fillSecrets(parseOne(exported), new Map(), current)).toEqual({ slug: 'github', description: 'New' });
  });

  test('has null for fields that cannot be cleared, so that it is refused', () => {
    const server = parseOne({ gatehouse: 1, servers: { github: { ...URL_ONLY, enabled: null, iconUrl: null } } });
    expect(fillSecrets(server, new Map(), configRecord())).toEqual({ slug: 'github', enabled: null });
  });

  test('has everything in the file when the auth type changes', () => {
    const github = { ...URL_ONLY, authType: 'NONE', apiKeyHeader: 'Authorization' };
    const server = parseOne({ gatehouse: 1, servers: { github } });
    expect(fillSecrets(server, new Map(), apiKeyRecord())).toMatchObject({
      authType: 'none',
      apiKeyHeader: 'Authorization',
    });
  });

  test('does not touch what the file omits', () => {
    const silent = parseOne({ mcpServers: { github: URL_ONLY } });
    const current = configRecord({ authType: 'oauth2', transport: 'sse', displayName: 'GitHub of us' });
    expect(fillSecrets(silent, new Map(), current)).toEqual({ slug: 'github' });
    expect(fillSecrets(silent, new Map(), { ...current, url: 'https://mcp.example.com/sse' })).toMatchObject({
      transport: 'streamable_http',
    });
    const telling = parseOne({ mcpServers: { github: { ...URL_ONLY, type: 'http', title: 'GitHub' } } });
    expect(fillSecrets(telling, new Map(), current)).toMatchObject({
      transport: 'streamable_http',
      displayName: 'GitHub',
    });
  });
});
