import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Imports, openImports } from './import-client.ts';

// I16. The files of clients and gateways as their documentation and users write them, reduced to what matters.

let imports: Imports;
beforeAll(async () => {
  imports = await openImports();
});
beforeEach(() => imports.clear());
afterAll(() => imports?.gateway.close());

/** What became of each entry: the stored config, or why it was skipped. */
async function importAll(file: unknown, secrets: Record<string, Record<string, string>> = {}) {
  const { servers, errors } = await imports.apply(file, { secrets });
  expect(errors).toBeUndefined();
  for (const { error } of servers) expect(error).toBeNull();
  return Object.fromEntries(
    servers.map(({ slug, name, config, notes, missingSecrets }) => [
      slug ?? name,
      config ?? (missingSecrets.length > 0 ? missingSecrets.map(({ placeholder }) => placeholder) : notes[0]),
    ]),
  );
}

const D = '\u0024';

describe('YAML', () => {
  test('of LibreChat', async () => {
    const file = `
version: 1.3.5
cache: true
# servers of the team
mcpServers:
  everything:
    url: https://everything.example/sse
  sheets:
    type: streamable-http
    url: https://sheets.example/mcp
    title: Google Sheets
    iconPath: https://sheets.example/logo.svg
    serverInstructions: true
    timeout: 60000
    headers:
      X-User-ID: "{{LIBRECHAT_USER_ID}}"
      X-API-Key: "${D}{SHEETS_KEY}"
  personal:
    type: streamable-http
    url: https://personal.example/mcp
    headers:
      X-Auth-Token: "{{SERVICE_KEY}}"
    customUserVars:
      SERVICE_KEY:
        title: Service key
        description: Your key from <a href="https://personal.example">the console</a>
  signed:
    type: sse
    url: https://nobody.invalid/sse
    requiresOAuth: true
    oauth:
      authorization_url: https://signed.example/authorize
      token_url: https://signed.example/token
      revocation_endpoint: https://signed.example/revoke
      client_id: abc
      client_secret: "${D}{CLIENT_SECRET}"
      scope: read write
  keyed:
    url: https://keyed.example/mcp
    apiKey:
      source: admin
      authorization_type: bearer
      key: ${D}{KEYED}
  files:
    command: npx
    args: [-y, "@modelcontextprotocol/server-filesystem"]
`;
    const dry = await imports.dryRun(file);
    const asked = Object.fromEntries(dry.servers.map(({ slug, missingSecrets }) => [slug, missingSecrets]));
    expect(asked['personal']).toMatchObject([
      { placeholder: 'SERVICE_KEY', description: expect.stringMatching(/^Your key from/) },
    ]);
    const notesOf = (slug: string) => dry.servers.find((each) => each.slug === slug)?.notes.join() ?? '';
    expect(notesOf('personal')).toContain('Here, all users share one');
    expect(notesOf('sheets')).toContain('facts about the user');
    const stored = await importAll(file, {
      sheets: { SHEETS_KEY: 'k' },
      personal: { SERVICE_KEY: 'p' },
      signed: { CLIENT_SECRET: 's' },
      keyed: { KEYED: 'y' },
    });
    expect(stored).toMatchObject({
      everything: { transport: 'SSE', authType: 'NONE' },
      sheets: { displayName: 'Google Sheets', iconUrl: 'https://sheets.example/logo.svg', apiKeyHeader: 'X-API-Key' },
      personal: { apiKeyHeader: 'X-Auth-Token' },
      signed: { authType: 'OAUTH2', oauth2ClientId: 'abc', oauth2Scopes: ['read', 'write'], hasOAuth2Secret: true },
      keyed: { authType: 'API_KEY', apiKeyHeader: 'Authorization' },
      files: expect.stringContaining('runs a command'),
    });
    expect(await imports.headersOf('keyed')).toEqual({ Authorization: 'Bearer y' });
  });

  test('of LiteLLM', async () => {
    const file = `
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt, api_key: os.environ/OPENAI_API_KEY}
litellm_settings: {drop_params: true}
mcp_servers:
  zapier:
    url: "https://actions.zapier.example/mcp/sk-ak/sse"
  wiki:
    url: https://wiki.example/mcp
    transport: http
    auth_type: bearer_token
    auth_value: os.environ/WIKI_TOKEN
    description: The wiki
    allowed_tools: ["read_page", "search"]
    disallowed_tools: ["delete_page"]
    extra_headers: ["Authorization"]
    static_headers: {X-Tenant: 0042}
    mcp_info: {server_name: Wiki}
  machine:
    url: https://machine.example/mcp
    auth_type: oauth2
    client_id: os.environ/ID
    client_secret: os.environ/SECRET
    token_url: https://machine.example/token
  local: {transport: stdio, command: npx, args: ["x"]}
`;
    const stored = await importAll(file, { wiki: { WIKI_TOKEN: 'w' } });
    expect(stored).toMatchObject({
      zapier: { transport: 'SSE', authType: 'NONE' },
      wiki: {
        transport: 'STREAMABLE_HTTP',
        description: 'The wiki',
        authType: 'CUSTOM_HEADERS',
        toolAllowList: ['read_page', 'search'],
        toolDenyList: ['delete_page'],
      },
      machine: expect.stringContaining('client credentials'),
      local: expect.stringContaining('runs a command'),
    });
    expect(await imports.headersOf('wiki')).toEqual({ Authorization: 'Bearer w', 'X-Tenant': '0042' });
  });

  test('with lists, anchors and merged maps', async () => {
    const file = `
defaults: &defaults
  type: streamable-http
  headers: {X-Team: a}
mcpServers:
  - name: First
    <<: *defaults
    url: https://first.example/mcp
  - name: Second
    <<: *defaults
    url: https://second.example/mcp
    requestOptions: {headers: {X-Team: b}}
`;
    expect(await importAll(file)).toMatchObject({
      first: { apiKeyHeader: 'X-Team' },
      second: { authType: 'API_KEY', apiKeyHeader: 'X-Team' },
    });
  });

  test('of Goose', async () => {
    const file = `
extensions:
  developer: {type: builtin, name: developer, enabled: true}
  remote:
    type: streamable_http
    name: Remote
    uri: https://remote.example/mcp
    enabled: false
    headers: {Authorization: "Bearer ${D}TOKEN"}
    available_tools: [search]
`;
    expect(await importAll(file, { remote: { TOKEN: 't' } })).toMatchObject({
      remote: { displayName: 'Remote', toolAllowList: ['search'], enabled: false },
      developer: expect.stringContaining('runs a command'),
    });
  });
});

test('TOML of Codex', async () => {
  const file = `
model = "gpt-5"
# remote servers
[mcp_servers.docs]
url = "https://docs.example/mcp"
bearer_token_env_var = "DOCS_TOKEN"
http_headers = { "X-Region" = "eu" }
env_http_headers = { "X-Tenant" = "TENANT" }
enabled_tools = ["search"]
disabled_tools = ["delete"]
startup_timeout_sec = 10.5

[mcp_servers.off]
url = "https://off.example/mcp"
enabled = false

[mcp_servers.local]
command = "npx"
args = ["-y", "x"]
`;
  const stored = await importAll(file, { docs: { DOCS_TOKEN: 't', TENANT: 'n' } });
  expect(stored).toMatchObject({
    docs: { authType: 'CUSTOM_HEADERS', toolAllowList: ['search'], toolDenyList: ['delete'] },
    off: { enabled: false },
    local: expect.stringContaining('runs a command'),
  });
  expect(await imports.headersOf('docs')).toEqual({ 'X-Region': 'eu', Authorization: 'Bearer t', 'X-Tenant': 'n' });
});

describe('JSON', () => {
  test('of opencode', async () => {
    const file = {
      $schema: 'https://opencode.ai/config.json',
      mcp: {
        docs: { type: 'remote', url: 'https://docs.example/mcp', enabled: true, headers: { 'X-K': '{env:KEY}' } },
        sentry: { type: 'remote', url: 'https://sentry.example/mcp', oauth: false, enabled: false },
        local: { type: 'local', command: ['npx', '-y', 'x'], environment: {} },
      },
      tools: { 'sentry_*': false, sentry_search: true, docs_delete: false },
    };
    expect(await importAll(file, { docs: { 'env:KEY': 'k' } })).toMatchObject({
      docs: { apiKeyHeader: 'X-K', toolDenyList: ['delete'] },
      sentry: { authType: 'NONE', toolAllowList: ['search'], enabled: false },
      local: expect.stringContaining('runs a command'),
    });
  });

  test('of Zed', async () => {
    const file = `{
      // settings
      "theme": "One Dark",
      "context_servers": {
        "you-com": { "source": "custom", "url": "https://you.example/mcp", "headers": {"Authorization": "Bearer abc"} },
        "old": { "source": "custom", "command": { "path": "x", "args": [] } },
      },
    }`;
    expect(await importAll(file)).toMatchObject({
      'you-com': { authType: 'API_KEY', apiKeyHeader: 'Authorization' },
      old: expect.stringContaining('runs a command'),
    });
  });

  test('of Open WebUI', async () => {
    const file = [
      {
        type: 'mcp',
        url: 'https://first.example/mcp',
        path: '',
        auth_type: 'bearer',
        key: 'abc',
        headers: { 'X-Team': 'a' },
        config: { enable: true, function_name_filter_list: 'search, read', access_grants: [] },
        info: { id: 'first', name: 'First server', description: 'Does things.' },
      },
      {
        type: 'mcp',
        url: 'https://second.example/mcp',
        auth_type: 'none',
        key: '',
        config: { enable: false, function_name_filter_list: '' },
        info: { id: 'second', name: '' },
      },
      {
        type: 'mcp',
        url: 'https://third.example/mcp',
        auth_type: 'session',
        key: '',
        config: {},
        info: { id: 'third' },
      },
      {
        type: 'openapi',
        url: 'https://o.example',
        path: 'openapi.json',
        auth_type: 'bearer',
        key: 'k',
        info: { id: 'o' },
      },
    ];
    expect(await importAll(file)).toMatchObject({
      'first-server': {
        displayName: 'First server',
        description: 'Does things.',
        authType: 'CUSTOM_HEADERS',
        toolAllowList: ['search', 'read'],
      },
      second: { authType: 'NONE', enabled: false },
      third: expect.stringContaining('does not have'),
      o: expect.stringContaining('OpenAPI'),
    });
    expect(await imports.headersOf('first-server')).toEqual({ Authorization: 'Bearer abc', 'X-Team': 'a' });
  });

  test("of Anthropic's API", async () => {
    const file = {
      model: 'x',
      mcp_servers: [
        {
          type: 'url',
          url: 'https://a.example/sse',
          name: 'first',
          authorization_token: 'abc',
          tool_configuration: { enabled: true, allowed_tools: ['search'] },
        },
        { type: 'url', url: 'https://b.example/mcp', name: 'second' },
      ],
      tools: [
        {
          type: 'mcp_toolset',
          mcp_server_name: 'second',
          default_config: { enabled: false },
          configs: { read: { enabled: true } },
        },
      ],
    };
    expect(await importAll(file)).toMatchObject({
      first: { transport: 'SSE', apiKeyHeader: 'Authorization', toolAllowList: ['search'] },
      second: { toolAllowList: ['read'] },
    });
  });

  test("of OpenAI's API", async () => {
    const mcp = { type: 'mcp', server_label: 'shop', server_url: 'https://shop.example/mcp', authorization: 'abc' };
    const file = { tools: [{ type: 'web_search' }, { ...mcp, allowed_tools: { tool_names: ['search'] } }] };
    expect(await importAll(file)).toMatchObject({ shop: { apiKeyHeader: 'Authorization', toolAllowList: ['search'] } });
  });

  test.each([
    ['one server', { type: 'http', url: 'https://docs.example/mcp', headers: { 'X-K': 'k' } }, 'docs-example'],
    ['one server with a name', { name: 'Docs', url: 'https://docs.example/mcp', headers: { 'X-K': 'k' } }, 'docs'],
    ['a map of servers', { docs: { url: 'https://docs.example/mcp', headers: { 'X-K': 'k' } } }, 'docs'],
    ['a list of servers', [{ id: 'docs', url: 'https://docs.example/mcp', headers: { 'X-K': 'k' } }], 'docs'],
    [
      'a development container',
      {
        customizations: {
          vscode: { mcp: { servers: { docs: { url: 'https://docs.example/mcp', headers: { 'X-K': 'k' } } } } },
        },
      },
      'docs',
    ],
    [
      'a workspace',
      {
        folders: [],
        settings: { mcp: { servers: { docs: { url: 'https://docs.example/mcp', headers: { 'X-K': 'k' } } } } },
      },
      'docs',
    ],
  ])('of %s', async (_what, file, slug) => {
    expect(await importAll(file)).toMatchObject({ [slug]: { url: 'https://docs.example/mcp', apiKeyHeader: 'X-K' } });
  });

  test('with a bridge', async () => {
    const bridge = (args: string[], env?: object) => ({
      command: 'npx',
      args: ['-y', 'mcp-remote@latest', ...args],
      env,
    });
    const file = {
      mcpServers: {
        plain: bridge(['https://plain.example/sse', '--transport', 'sse-only', '--allow-http']),
        keyed: bridge(['https://keyed.example/mcp', '--header', `Authorization:${D}{AUTH}`, '--header', 'X-A: a'], {
          AUTH: 'Bearer abc',
        }),
        asked: bridge(['https://asked.example/mcp', '--header', `X-K: ${D}{KEY}`]),
        hidden: bridge(['https://hidden.example/mcp', '--ignore-tool', 'delete']),
        pattern: bridge(['https://pattern.example/mcp', '--ignore-tool', 'delete*']),
        windows: { command: 'cmd', args: ['/c', 'npx', 'mcp-remote', 'https://windows.example/mcp', '3334'] },
        opencode: { type: 'local', command: ['npx', 'mcp-remote', 'https://opencode.example/mcp'] },
        other: { command: 'npx', args: ['-y', 'other-bridge', 'https://other.example/mcp'] },
      },
    };
    expect(await importAll(file, { asked: { KEY: 'k' } })).toMatchObject({
      plain: { url: 'https://plain.example/sse', transport: 'SSE' },
      keyed: { authType: 'CUSTOM_HEADERS' },
      asked: { apiKeyHeader: 'X-K' },
      hidden: { toolDenyList: ['delete'] },
      pattern: expect.stringContaining('pattern'),
      windows: { url: 'https://windows.example/mcp' },
      opencode: { url: 'https://opencode.example/mcp' },
      other: expect.stringContaining('runs a command'),
    });
    expect(await imports.headersOf('keyed')).toEqual({ Authorization: 'Bearer abc', 'X-A': 'a' });
  });
});
