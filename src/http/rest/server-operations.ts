import type { RestGroup } from './operation.ts';
import { CreateMcpServer, McpServer, McpServerList, UpdateMcpServer } from './server-schemas.ts';

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
  api_key_header: 'Authorization',
  has_api_key: true,
  has_custom_headers: false,
  tool_allow_list: [],
  tool_deny_list: ['delete_project'],
  availability: 'default_on',
  enabled: true,
  auth_connected: true,
  created_at: '2026-11-23T09:30:00.000Z',
  updated_at: '2026-11-23T09:30:00.000Z',
};

const SLUG_TAKEN = 'Another server has this slug.';
const NOT_DISCOVERED = 'The settings for OAuth 2 were left to discovery, which failed; nothing was stored.';

/** The REST routes about MCP servers. */
export const SERVER_GROUP = {
  prefix: '/api/experimental/mcp/servers',
  name: 'MCP servers',
  description: 'The MCP servers that admins define, and what each caller may see of them.',
  experiment: 'agents',
  schemas: { McpServer, McpServerList, CreateMcpServer, UpdateMcpServer },
  operations: {
    listMcpServers: {
      method: 'get',
      path: '',
      action: 'mcpServerConfig.list',
      summary: 'List servers',
      description: 'All servers by display name; members get the enabled ones, without the fields for staff.',
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
      summary: 'Define a server',
      description: 'Admins only. A new server is not enabled unless that is asked for.',
      body: {
        schema: CreateMcpServer,
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
      description: 'For members, a server that is not enabled looks like one that does not exist.',
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
      summary: 'Change a server',
      description:
        "Admins only. Changes the fields that are sent. A change of the URL's origin, the auth type or the OAuth client " +
        'ends the connections of all users; while secrets are stored, a new origin needs each of them sent again or cleared.',
      body: {
        schema: UpdateMcpServer,
        examples: {
          'switch off': { enabled: false },
          'move to another origin': { url: 'https://new.example.com/mcp', api_key_value: 'Bearer <the key>' },
          'clear the allow list': { tool_allow_list: null },
        },
      },
      success: {
        status: 200,
        description: 'The server as it is now.',
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
      description: 'Admins only. The connections of all users to it go along.',
      success: { status: 204, description: 'It is gone.' },
    },
    connectMcpServer: {
      method: 'get',
      path: '/{id}/oauth2/connect',
      action: 'mcpServerConnection.connect',
      summary: 'Connect an account',
      description:
        "For a browser, best in a popup: begins to connect the caller's own account by OAuth 2. The server has to be enabled.",
      page: { query: {} },
      success: { status: 307, description: 'To the authorization server, with a cookie that binds the browser.' },
      upstream: 'The gateway had to register at the authorization server anew and could not.',
    },
    finishMcpServerConnection: {
      method: 'get',
      path: '/{id}/oauth2/callback',
      action: 'mcpServerConnection.connect',
      summary: 'Come back from the authorization server',
      description:
        'Where the authorization server sends the browser. The page tells the window that opened the popup, by `{type: "mcp-oauth2-complete", serverID}`, and closes.',
      page: {
        query: {
          code: 'The authorization code (RFC 6749).',
          state: 'What the connection was begun with.',
          iss: 'Who answers (RFC 9207).',
          error: 'Why there is no code.',
          error_description: 'The same in words.',
        },
      },
      success: { status: 200, description: 'The account is connected.' },
      upstream: 'The authorization server gave no token for the code.',
    },
    disconnectMcpServer: {
      method: 'delete',
      path: '/{id}/oauth2/disconnect',
      action: 'mcpServerConnection.remove',
      summary: 'Disconnect an account',
      description: "Ends the caller's own connection, and has its tokens revoked. Also a success when there is none.",
      isIdempotent: true,
      success: { status: 204, description: 'The gateway has no token of the caller for this server.' },
    },
  },
} as const satisfies RestGroup;
