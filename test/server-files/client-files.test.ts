import { describe, expect, test } from 'vitest';
import type { ImportedServer } from '../../src/domain/server-files/imported-server.ts';
import { parseServerFile } from '../../src/domain/server-files/parse-server-file.ts';

/** The server of a `mcp.json` that has one. */
function parseOne(entry: unknown, name = 'github'): ImportedServer {
  const { servers } = parseServerFile(JSON.stringify({ mcpServers: { [name]: entry } }));
  const [server] = servers;
  if (server === undefined) throw new Error('It was skipped.');
  return server;
}

function reasonOf(entry: unknown): string | undefined {
  return parseServerFile(JSON.stringify({ mcpServers: { it: entry } })).skipped[0]?.reason;
}

const URL_ONLY = { url: 'https://mcp.example.com/mcp' };

describe('mcp.json', () => {
  test('becomes the input of a config', () => {
    const file = { mcpServers: { 'My GitHub!': { type: 'http', url: 'https://mcp.example.com/mcp' } } };
    const { format, servers, skipped } = parseServerFile(JSON.stringify(file));
    expect(format).toBe('mcp_json');
    expect(skipped).toEqual([]);
    expect(servers).toHaveLength(1);
    expect(servers[0]).toMatchObject({ name: 'My GitHub!', secrets: [] });
    expect(servers[0]?.input).toEqual({
      slug: 'my-github',
      displayName: 'My GitHub!',
      url: 'https://mcp.example.com/mcp',
      transport: 'streamable_http',
      authType: 'none',
    });
  });

  test.each([
    [{ ...URL_ONLY, type: 'http' }, 'streamable_http'],
    [{ ...URL_ONLY, type: 'streamable-http' }, 'streamable_http'],
    [{ ...URL_ONLY, type: 'streamableHttp' }, 'streamable_http'],
    [{ url: 'https://mcp.example.com/sse', type: 'http' }, 'streamable_http'],
    [{ ...URL_ONLY, transport: 'sse' }, 'sse'],
    [{ url: 'https://mcp.example.com/sse' }, 'sse'],
    [{ url: 'https://mcp.example.com/v1/sse/?a=1' }, 'sse'],
    [{ url: 'https://mcp.example.com/sse/mcp' }, 'streamable_http'],
    [{ serverUrl: 'https://mcp.example.com/' }, 'streamable_http'],
    [{ httpUrl: 'https://mcp.example.com/' }, 'streamable_http'],
  ])('says the transport of %j', (entry, transport) => {
    expect(parseOne(entry).input.transport).toBe(transport);
  });

  test.each([
    [{ command: 'npx', args: ['-y', 'some-server'] }, /command/],
    [{ type: 'stdio', command: 'docker', url: 'https://mcp.example.com/mcp' }, /command/],
    [{ command: 'npx', args: ['mcp-remote', '--debug'] }, /mcp-remote.*"url"/],
    [{ command: { toString: 1 }, args: [{ join: 1 }] }, /command/],
    [{ url: 'wss://mcp.example.com' }, /WebSocket/],
    [{ type: 'ws', ...URL_ONLY }, /WebSocket/],
    [{ url: 'unix:///run/mcp.sock' }, /local computer/],
    [{ type: 'carrier-pigeon', ...URL_ONLY }, /unknown/],
    [{ type: 'constructor', ...URL_ONLY }, /unknown/],
    [{ url: 'https://{tenant}.example.com/mcp' }, /"tenant"/],
    [{ url: 'https://YOUR-TENANT.example.com/mcp' }, /"YOUR-TENANT"/],
    [{ url: '<your server>' }, /"your server"/],
    [{ url: 'https://mcp.example.com/\u0024{env:PATH_OF_MCP}' }, /"env:PATH_OF_MCP"/],
  ])('skips %j and says why', (entry, reason) => {
    expect(reasonOf(entry)).toMatch(reason);
  });

  test('takes the default of a variable in a URL', () => {
    const server = parseOne({ url: 'https://\u0024{HOST:-mcp.example.com}/mcp' });
    expect(server.input.url).toBe('https://mcp.example.com/mcp');
    expect(server.notes.join()).toMatch(/defaults/);
  });

  test('warns of a URL that seems to hold a secret', () => {
    expect(parseOne({ url: 'https://mcp.example.com/mcp?apiKey=abc' }).notes.join()).toMatch(
      /seems to contain a secret/,
    );
    expect(parseOne({ url: 'https://mcp.example.com/mcp?region=eu' }).notes.join()).not.toMatch(/secret/);
  });

  test('keeps a URL beside a command, and says what it leaves out', () => {
    const { notes } = parseOne({ ...URL_ONLY, command: 'npx', timeout: 5, autoApprove: [], 'Bearer hunter2': 1 });
    expect(notes.join()).toMatch(/command was ignored/);
    expect(notes.join()).toContain('"timeout", "autoApprove", 1 more');
    expect(notes.join()).not.toContain('hunter2');
  });

  test('has the tools that a client may use', () => {
    const { input } = parseOne({ ...URL_ONLY, includeTools: ['search'], excludeTools: ['delete'] });
    expect(input).toMatchObject({ toolAllowList: ['search'], toolDenyList: ['delete'] });
  });

  test('never switches a server on', () => {
    expect(parseOne({ ...URL_ONLY, enabled: true, disabled: false }).input.enabled).toBeUndefined();
  });

  test('tells what to do when the file has no credentials', () => {
    expect(parseOne(URL_ONLY).notes.join()).toMatch(/set authType to OAUTH2/);
  });
});

describe('the credentials of a mcp.json', () => {
  test('are an API key when there is one header', () => {
    const server = parseOne({ ...URL_ONLY, headers: { Authorization: 'Bearer hunter2' } });
    expect(server.input).toMatchObject({ authType: 'api_key', apiKeyHeader: 'Authorization' });
    expect(server.input.apiKeyValue?.expose()).toBe('Bearer hunter2');
    expect(server.secrets).toEqual([]);
    expect(JSON.stringify(server)).not.toContain('hunter2');
  });

  test('are custom headers when there are several', () => {
    const server = parseOne({ ...URL_ONLY, headers: { 'X-Key': 'k', ['__proto__']: 'p' } });
    expect(server.input.authType).toBe('custom_headers');
    expect(server.input.customHeaders?.map(({ name, value }) => [name, value.expose()])).toEqual([
      ['X-Key', 'k'],
      ['__proto__', 'p'],
    ]);
  });

  test.each([
    [{ oauth: true }, {}],
    [{ auth: 'oauth' }, {}],
    [{ oauth: {} }, {}],
    [{ oauth: { clientId: 'abc' } }, { oauth2ClientId: 'abc' }],
    [
      { auth: { CLIENT_ID: 'abc', scopes: ['read', 'write'] } },
      { oauth2ClientId: 'abc', oauth2Scopes: ['read', 'write'] },
    ],
    [
      {
        oauth: {
          enabled: true,
          clientId: 'abc',
          authorizationUrl: 'https://as.example/a',
          tokenUrl: 'https://as.example/t',
        },
      },
      { oauth2ClientId: 'abc', oauth2AuthUrl: 'https://as.example/a', oauth2TokenUrl: 'https://as.example/t' },
    ],
    [{ oauth: { scopes: 'read  write' } }, { oauth2Scopes: ['read', 'write'] }],
  ])('are OAuth 2 for %j', (entry, expected) => {
    const { authType, displayName, slug, transport, url, ...rest } = parseOne({ ...URL_ONLY, ...entry }).input;
    expect(authType).toBe('oauth2');
    expect(rest).toEqual(expected);
  });

  test.each([{ oauth: false }, { oauth: null }, { oauth: { enabled: false } }])('are none for %j', (entry) => {
    expect(parseOne({ ...URL_ONLY, ...entry }).input.authType).toBe('none');
  });

  test('have the client secret wrapped or asked for', () => {
    const literal = parseOne({ ...URL_ONLY, auth: { CLIENT_ID: 'abc', CLIENT_SECRET: 'hunter2' } });
    expect(literal.input.oauth2ClientSecret?.expose()).toBe('hunter2');
    const asked = parseOne({ ...URL_ONLY, auth: { CLIENT_ID: 'abc', CLIENT_SECRET: '\u0024{env:MCP_CLIENT_SECRET}' } });
    expect(asked.input.oauth2ClientSecret).toBeUndefined();
    expect(asked.secrets).toEqual([
      {
        field: 'oauth2ClientSecret',
        placeholder: 'env:MCP_CLIENT_SECRET',
        description: 'The OAuth 2 client secret.',
      },
    ]);
  });

  test('have no placeholder as a client id', () => {
    const server = parseOne({ ...URL_ONLY, auth: { CLIENT_ID: '\u0024{env:MCP_CLIENT_ID}' } });
    expect(server.input).not.toHaveProperty('oauth2ClientId');
    expect(server.notes.join()).toMatch(/client id/);
  });

  test('are OAuth 2 with headers beside it, all but the one that has the token', () => {
    const server = parseOne({ ...URL_ONLY, oauth: {}, headers: { 'X-Region': 'eu', authorization: 'Bearer hunter2' } });
    expect(server.input).toMatchObject({ authType: 'oauth2' });
    expect(server.input.customHeaders?.map(({ name, value }) => [name, value.expose()])).toEqual([['X-Region', 'eu']]);
    expect(server.notes.join()).toMatch(/"Authorization" was left out/);
  });
});

describe("VS Code's mcp.json", () => {
  const text = `{
    // what people are asked
    "inputs": [
      { "type": "promptString", "id": "github_token", "description": "GitHub token (repo)", "password": true },
    ],
    "servers": {
      "GitHub": {
        "type": "http",
        "url": "https://mcp.example.com/mcp",
        "headers": { "Authorization": "Bearer \u0024{input:github_token}" }, /* asked for */
      },
      "files": { "type": "stdio", "command": "npx" },
    },
  }`;

  test('asks for its inputs in their own words', () => {
    const { format, servers, skipped } = parseServerFile(text);
    expect(format).toBe('vscode');
    expect(servers[0]?.input).not.toHaveProperty('apiKeyValue');
    expect(servers[0]?.secrets).toEqual([
      {
        field: 'apiKeyValue',
        header: 'Authorization',
        placeholder: 'input:github_token',
        description: 'GitHub token (repo)',
      },
    ]);
    expect(skipped.map(({ name }) => name)).toEqual(['files']);
  });

  test('is found in its settings too', () => {
    const settings = { 'editor.fontSize': 14, mcp: { servers: { github: URL_ONLY } } };
    expect(parseServerFile(JSON.stringify(settings))).toMatchObject({
      format: 'vscode',
      servers: [{ name: 'github' }],
    });
  });
});

describe('slugs', () => {
  const slugsOf = (names: string[]) =>
    parseServerFile(
      JSON.stringify({ mcpServers: Object.fromEntries(names.map((name) => [name, URL_ONLY])) }),
    ).servers.map(({ input }) => input.slug);

  test.each([
    ['GitHub', 'github'],
    ['io.github.owner/some_server', 'io-github-owner-some-server'],
    ['Café  München', 'cafe-munchen'],
    ['日本語', 'server-77710aed'],
    ['日本', 'server-cf2abf0c'],
    [' 日本語 ', 'server-77710aed'],
    ['--a--b--', 'a-b'],
    ['', 'server-e3b0c442'],
    ['__proto__', 'proto'],
    ['constructor', 'constructor'],
    [`${'a'.repeat(63)}-b`, 'a'.repeat(63)],
  ])('of %j is %j', (name, slug) => {
    expect(slugsOf([name])).toEqual([slug]);
  });

  test('are unique, and a name that is one keeps it', () => {
    expect(slugsOf(['GitHub', 'github', 'Git-Hub', 'GITHUB', 'github-2'])).toEqual([
      'github-3',
      'github',
      'git-hub',
      'github-4',
      'github-2',
    ]);
    const long = [`${'x'.repeat(64)}!`, `${'x'.repeat(64)}?`];
    expect(slugsOf(long)).toEqual(['x'.repeat(64), `${'x'.repeat(62)}-2`]);
  });
});
