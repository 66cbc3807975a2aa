import { TEST_STEPS } from '../../domain/upstreams/server-test-steps.ts';
import type { RestGroup } from './operation.ts';
import {
  CreateMcpServer,
  Disconnection,
  McpServer,
  McpServerList,
  REFUSED_FIELDS,
  UpdateMcpServer,
} from './server-schemas.ts';
import { McpServerTest } from './server-test-schemas.ts';
import { McpServerTool, McpServerToolList } from './server-tool-schemas.ts';

const EXAMPLE_SERVER: McpServer = {
  id: '5f1c9a52-6f0f-4d3c-9f51-0c5ad9a3a0d4',
  display_name: 'Issue tracker',
  slug: 'issues',
  description: 'Finds and files issues.',
  icon_url: 'https://issues.example.com/icon.svg',
  transport: 'streamable_http',
  url: 'https://issues.example.com/mcp',
  auth_type: 'api_key',
  oauth2_client_id: '',
  has_oauth2_secret: false,
  oauth2_auth_url: '',
  oauth2_token_url: '',
  oauth2_revocation_url: '',
  oauth2_issuer: '',
  oauth2_scopes: '',
  oauth2_callback_mode: 'own',
  oauth_callback_url: '',
  oauth2_resource_mode: 'auto',
  api_key_header: 'Authorization',
  has_api_key: true,
  has_custom_headers: false,
  tool_allow_list: [],
  tool_deny_list: ['delete_project'],
  tool_approval: 'auto',
  expose_resources: false,
  expose_prompts: false,
  availability: 'default_on',
  enabled: true,
  auth_connected: true,
  created_at: '2026-11-23T09:30:00.000Z',
  updated_at: '2026-11-23T09:30:00.000Z',
};

const UNTRIED = { outcome: 'skipped', ms: 0, found: 'An earlier step failed.', advice: null, problem: null } as const;

const EXAMPLE_TEST = {
  is_ok: false,
  steps: [
    {
      name: 'name',
      outcome: 'failed',
      ms: 12,
      found: "The name in the server's URL has no address.",
      advice: 'Check the name in the URL, and the DNS of the gateway.',
      problem: 'NOT_RESOLVED',
    },
    ...TEST_STEPS.slice(1).map((name) => ({ name, ...UNTRIED })),
  ],
};

const EXAMPLE_TOOL: McpServerTool = {
  id: '0d6f1c1e-51c1-4d0e-8a3b-7a0a6f1d2b11',
  name: 'find_issue',
  shown_as: 'issues__find_issue',
  title: 'Find issues',
  description: 'Finds issues by their words.',
  input_schema: { type: 'object', properties: { words: { type: 'string' } }, required: ['words'] },
  output_schema: null,
  annotations: { readOnlyHint: true },
  decision: 'allowed',
  digest: '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9',
  first_seen_at: '2026-11-23T09:30:00.000Z',
  changed_at: null,
  gone_at: null,
  warnings: [],
};

const SLUG_TAKEN = 'Another server already has this slug.';
const NOT_DISCOVERED = 'The discovery of the OAuth 2 settings failed. Nothing was stored.';

const CALLBACK_QUERY = {
  code: 'The authorization code (RFC 6749).',
  state: 'The state of the authorization request.',
  iss: 'The issuer of the response (RFC 9207).',
  error: 'The error code, if the authorization failed.',
  error_description: 'The description of the error.',
};

/** The REST operations of MCP servers. */
export const SERVER_GROUP = {
  prefix: '/api/experimental/mcp/servers',
  name: 'MCP servers',
  description: 'The MCP servers that admins manage, as far as the caller may see them.',
  experiment: 'agents',
  schemas: {
    McpServer,
    McpServerList,
    CreateMcpServer,
    UpdateMcpServer,
    Disconnection,
    McpServerTest,
    McpServerTool,
    McpServerToolList,
  },
  operations: {
    listMcpServers: {
      method: 'get',
      path: '',
      action: 'mcpServerConfig.list',
      isRepeatable: true,
      summary: 'List servers',
      description:
        'Returns all servers, sorted by display name. Members only get enabled servers, without the fields for staff.',
      success: {
        status: 200,
        description: 'The servers.',
        content: { schema: McpServerList, examples: { 'one server': [EXAMPLE_SERVER] } },
      },
    },
    createMcpServer: {
      method: 'post',
      path: '',
      action: 'mcpServerConfig.create',
      summary: 'Create a server',
      description: 'Admins only. A new server is disabled unless `enabled` is true.',
      body: {
        schema: CreateMcpServer,
        refused: REFUSED_FIELDS,
        examples: {
          'without sign-in': { display_name: 'Docs', slug: 'docs', url: 'https://docs.example.com/mcp', enabled: true },
          'with an API key': {
            display_name: 'Issue tracker',
            slug: 'issues',
            url: 'https://issues.example.com/mcp',
            auth_type: 'api_key',
            api_key_header: 'Authorization',
            api_key_value: 'Bearer <the key>',
            tool_deny_list: ['delete_project'],
            availability: 'default_on',
            enabled: true,
          },
          'with OAuth 2, discovered': {
            display_name: 'Files',
            slug: 'files',
            url: 'https://files.example.com/mcp',
            auth_type: 'oauth2',
            enabled: true,
          },
          'with OAuth 2': {
            display_name: 'Mail',
            slug: 'mail',
            url: 'https://mail.example.com/mcp',
            auth_type: 'oauth2',
            oauth2_client_id: 'gatehouse',
            oauth2_client_secret: '<the secret>',
            oauth2_auth_url: 'https://login.example.com/authorize',
            oauth2_token_url: 'https://login.example.com/token',
            oauth2_scopes: 'mail.read mail.send',
            oauth2_callback_mode: 'shared',
          },
        },
      },
      success: {
        status: 201,
        description: 'The new server.',
        content: { schema: McpServer, examples: { 'with an API key': EXAMPLE_SERVER } },
      },
      conflict: SLUG_TAKEN,
      upstream: NOT_DISCOVERED,
    },
    getMcpServer: {
      method: 'get',
      path: '/{id}',
      action: 'mcpServerConfig.read',
      summary: 'Get a server',
      description: 'Members get 404 for a disabled server.',
      success: {
        status: 200,
        description: 'The server.',
        content: { schema: McpServer, examples: { 'for staff': EXAMPLE_SERVER } },
      },
    },
    updateMcpServer: {
      method: 'patch',
      path: '/{id}',
      action: 'mcpServerConfig.update',
      summary: 'Update a server',
      description:
        "Admins only. Changes only the fields in the body. Changing the URL's origin, the auth type or the OAuth client ends the " +
        'connections of all users. If secrets are stored, changing the origin requires each secret to be sent again or cleared.',
      body: {
        schema: UpdateMcpServer,
        refused: REFUSED_FIELDS,
        examples: {
          'switch off': { enabled: false },
          'move to another origin': { url: 'https://new.example.com/mcp', api_key_value: 'Bearer <the key>' },
          'clear the allow list': { tool_allow_list: null },
        },
      },
      success: {
        status: 200,
        description: 'The updated server.',
        content: { schema: McpServer, examples: { 'switched off': { ...EXAMPLE_SERVER, enabled: false } } },
      },
      conflict: SLUG_TAKEN,
      upstream: NOT_DISCOVERED,
    },
    deleteMcpServer: {
      method: 'delete',
      path: '/{id}',
      action: 'mcpServerConfig.delete',
      summary: 'Delete a server',
      description: 'Admins only. Also deletes the connections of all users to the server.',
      success: { status: 204, description: 'The server was deleted.' },
    },
    testMcpServer: {
      method: 'post',
      path: '/{id}/test',
      action: 'mcpServerConfig.test',
      summary: 'Test a server',
      description:
        'Admins only. Tests the stored server step by step, also with its credentials and with those of the caller. Stores ' +
        'nothing but an entry in the audit log. The GraphQL mutation `testMcpServer` also tests settings that are not stored.',
      success: {
        status: 200,
        description: 'The steps. A server that does not work is no error.',
        content: { schema: McpServerTest, examples: { 'no such name': EXAMPLE_TEST } },
      },
    },
    listMcpServerTools: {
      method: 'get',
      path: '/{id}/tools',
      action: 'mcpServerTool.list',
      summary: 'List the tools of a server',
      description:
        'The tools as the server last listed them; the server is not called. Members get the tools that they may use, staff get ' +
        'all with the decision. Members get 404 for a disabled server.',
      success: {
        status: 200,
        description: 'The tools, sorted by name. At most 4 MB: GraphQL has pages.',
        content: { schema: McpServerToolList, examples: { 'one tool': [EXAMPLE_TOOL] } },
      },
    },
    getMcpServerIcon: {
      method: 'get',
      path: '/{id}/icon',
      action: 'mcpServerConfig.read',
      summary: 'Get the icon of a server',
      description:
        'Returns the image at the `icon_url` of the server, fetched by the gateway: PNG, JPEG, WebP, GIF or AVIF, up to 256 KiB. 404 if there is none, or another kind of file. Its `iconHref` in GraphQL is this address, with a version.',
      page: { query: { v: 'Any text. Another one is another address, for caches.' }, type: 'image/*' },
      success: { status: 200, description: 'The image.' },
    },
    connectMcpServer: {
      method: 'get',
      path: '/{id}/oauth2/connect',
      action: 'mcpServerConnection.connect',
      summary: 'Connect an account',
      description:
        "Open this in a browser, preferably in a popup. Starts the OAuth 2 flow that connects the caller's own account. The server must be enabled. A browser that does not come from a page of the gateway gets a page (200) that asks first, and whose link continues.",
      page: { query: {} },
      success: {
        status: 307,
        description: 'Redirects to the authorization server, and sets a cookie that binds the flow to the browser.',
      },
      upstream: 'The gateway had to renew its client registration at the authorization server, which failed.',
    },
    finishMcpServerConnection: {
      method: 'get',
      path: '/{id}/oauth2/callback',
      action: 'mcpServerConnection.connect',
      summary: 'OAuth 2 callback',
      description:
        'The authorization server redirects the browser here. The page posts the message `{type: "mcp-oauth2-complete", serverID}` to the window that opened the popup, and closes.',
      page: { query: CALLBACK_QUERY },
      success: { status: 200, description: 'The account is connected.' },
      upstream: 'The authorization server did not exchange the code for a token.',
    },
    disconnectMcpServer: {
      method: 'delete',
      path: '/{id}/oauth2/disconnect',
      action: 'mcpServerConnection.remove',
      summary: 'Disconnect an account',
      description:
        "Removes the caller's own connection and revokes its tokens. Also succeeds if there is no connection. With `Prefer: return=representation` the response says whether the tokens were revoked (RFC 7240).",
      isIdempotent: true,
      success: { status: 204, description: 'The gateway no longer has a token of the caller for this server.' },
      representation: {
        description: 'The same, for callers that send `Prefer: return=representation`.',
        schema: Disconnection,
        examples: {
          revoked: { token_revoked: true, token_revocation_error: '' },
          'not revoked': {
            token_revoked: false,
            token_revocation_error:
              'The authorization server did not confirm the revocation: the token may stay valid until it expires.',
          },
        },
      },
    },
  },
} as const satisfies RestGroup;

/** The callback that servers can share. Its address is known before a server is created. */
export const SHARED_CALLBACK_GROUP = {
  prefix: '/api/experimental/mcp/oauth2',
  name: 'OAuth 2 callback',
  description: 'The callback URL of the deployment, for clients that are registered by hand.',
  experiment: 'agents',
  schemas: {},
  operations: {
    finishSharedMcpServerConnection: {
      method: 'get',
      path: '/callback',
      action: 'mcpServerConnection.connect',
      summary: 'Shared OAuth 2 callback',
      description:
        'Register this URL at an authorization server before you create a server with `oauth2_callback_mode: shared`. The state says which server is connected. The page is that of the callback of one server.',
      page: { query: CALLBACK_QUERY },
      success: { status: 200, description: 'The account is connected.' },
      upstream: 'The authorization server did not exchange the code for a token.',
    },
  },
} as const satisfies RestGroup;
