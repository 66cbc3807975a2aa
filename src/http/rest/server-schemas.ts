import { z } from 'zod';
import {
  MCP_AUTH_TYPES,
  MCP_AVAILABILITIES,
  MCP_TOOL_APPROVALS,
  MCP_TRANSPORTS,
  OAUTH_CALLBACK_MODES,
  OAUTH_RESOURCE_MODES,
} from '../../data/records.ts';

const ADMIN_ONLY = 'Empty for members.';

/** A text that is cleared by an empty string or null. */
const clearableText = z.string().nullable();
const names = z.array(z.string()).nullable();

/** The body of `PATCH /{id}`. */
export const UpdateMcpServer = z
  .strictObject({
    display_name: z.string().describe('Display name, 1 to 120 characters.'),
    slug: z
      .string()
      .describe('Short unique name: 1 to 64 lower-case letters, digits and single "-". The prefix of its tool names.'),
    url: z.string().describe('The URL of the MCP server: https, or http for loopback or an allowed private host.'),
    transport: z.enum(MCP_TRANSPORTS).describe('The MCP transport of the server. Default: streamable_http.'),
    auth_type: z
      .enum(MCP_AUTH_TYPES)
      .describe(
        'How the gateway authenticates to the server. Default: none. Changing it clears the settings of the previous type.',
      ),
    availability: z
      .enum(MCP_AVAILABILITIES)
      .describe('In all chats, in new chats by default, or only in chats where it is selected. Default: default_off.'),
    enabled: z.boolean().describe('The kill switch: members can only see and use enabled servers. Default: false.'),
    description: clearableText.describe('What the server is for, at most 4,000 characters.'),
    icon_url: clearableText.describe('The URL of its icon.'),
    oauth2_client_id: clearableText.describe('Client id at the authorization server. Required for oauth2.'),
    oauth2_client_secret: clearableText.describe('Secret. Client secret at the authorization server.'),
    oauth2_auth_url: clearableText.describe('Authorization endpoint. Required for oauth2.'),
    oauth2_token_url: clearableText.describe('Token endpoint. Required for oauth2.'),
    oauth2_revocation_url: clearableText.describe(
      'Revocation endpoint (RFC 7009). Another origin ends the connections of all users; another path at the same origin does not.',
    ),
    oauth2_issuer: clearableText.describe('Issuer identifier of the authorization server (RFC 8414).'),
    oauth2_scopes: clearableText.describe('Scopes to request, separated by spaces.'),
    oauth2_callback_mode: z
      .enum(OAUTH_CALLBACK_MODES)
      .nullable()
      .describe(
        'Which callback URL is registered at the authorization server: that of this server (own, the default), or that of the deployment (shared), which is known before the server is created.',
      ),
    oauth2_resource_mode: z
      .enum(OAUTH_RESOURCE_MODES)
      .nullable()
      .describe(
        'Whether authorization and token requests contain `resource` (RFC 8707). auto: always, except at Microsoft Entra, which rejects it, and for servers without resource metadata. Default: auto.',
      ),
    api_key_header: clearableText.describe('The header that contains the key. Required for api_key.'),
    api_key_value: clearableText.describe('Secret. The key. Required for api_key.'),
    custom_headers: z
      .record(z.string(), z.string())
      .nullable()
      .describe(
        'Secret. Headers by name. At least one is required for custom_headers. With oauth2, they are sent beside the access token. Replaces all existing headers.',
      ),
    tool_allow_list: names.describe('If not empty, only these tools are available. Replaces the existing list.'),
    tool_deny_list: names.describe(
      'These tools are never available, even if they are in the allow list. Replaces the existing list.',
    ),
    tool_approval: z
      .enum(MCP_TOOL_APPROVALS)
      .nullable()
      .describe(
        'Whether tools may be used as the server lists them, or only as an admin approved them. Default: auto.',
      ),
    expose_resources: z
      .boolean()
      .nullable()
      .describe(
        "Whether clients get the server's resources through the gateway, too. Tool lists and approvals do not cover them. Default: false.",
      ),
    expose_prompts: z
      .boolean()
      .nullable()
      .describe(
        "Whether clients get the server's prompts through the gateway, too. Tool lists and approvals do not cover them. Default: false.",
      ),
  })
  .partial()
  .describe('The changes. Absent fields are unchanged; null or an empty value clears an optional field.');

/** The body of `POST /`. */
export const CreateMcpServer = UpdateMcpServer.required({ display_name: true, slug: true, url: true }).describe(
  'A new MCP server.',
);

/** The fields of both bodies. */
export type McpServerBody = z.output<typeof UpdateMcpServer>;

/** A server in responses, for all roles. */
export const McpServer = z
  .strictObject({
    id: z.string().describe('Its id.').meta({ format: 'uuid' }),
    display_name: z.string().describe('Display name.'),
    slug: z.string().describe('Short unique name. Models see its tools as `<slug>__<tool>`.'),
    description: z.string().describe('What the server is for.'),
    icon_url: z.string().describe('The URL of its icon, or empty.'),
    transport: z.enum([...MCP_TRANSPORTS, '']).describe(`The MCP transport of the server. ${ADMIN_ONLY}`),
    url: z.string().describe(`The URL of the server. ${ADMIN_ONLY}`),
    auth_type: z.enum(MCP_AUTH_TYPES).describe('How the gateway authenticates to the server.'),
    oauth2_client_id: z.string().describe(`Client id at the authorization server. ${ADMIN_ONLY}`),
    has_oauth2_secret: z.boolean().describe('Whether a client secret is stored.'),
    oauth2_auth_url: z.string().describe(`Authorization endpoint. ${ADMIN_ONLY}`),
    oauth2_token_url: z.string().describe(`Token endpoint. ${ADMIN_ONLY}`),
    oauth2_revocation_url: z.string().describe(`Revocation endpoint. ${ADMIN_ONLY}`),
    oauth2_issuer: z.string().describe(`Issuer identifier of the authorization server. ${ADMIN_ONLY}`),
    oauth2_scopes: z.string().describe(`Requested scopes, separated by spaces. ${ADMIN_ONLY}`),
    oauth2_callback_mode: z
      .enum([...OAUTH_CALLBACK_MODES, ''])
      .describe(`Which callback URL is registered at the authorization server. ${ADMIN_ONLY}`),
    oauth_callback_url: z
      .string()
      .describe(`The callback URL to register at the authorization server; empty unless oauth2. ${ADMIN_ONLY}`),
    oauth2_resource_mode: z
      .enum([...OAUTH_RESOURCE_MODES, ''])
      .describe(`Whether authorization and token requests contain \`resource\`. ${ADMIN_ONLY}`),
    api_key_header: z.string().describe(`The header that contains the key. ${ADMIN_ONLY}`),
    has_api_key: z.boolean().describe('Whether a key is stored.'),
    has_custom_headers: z.boolean().describe('Whether custom headers are stored.'),
    tool_allow_list: z.array(z.string()).describe('If not empty, only these tools are available.'),
    tool_deny_list: z.array(z.string()).describe('These tools are never available.'),
    tool_approval: z
      .enum([...MCP_TOOL_APPROVALS, ''])
      .describe(`Whether tools may be used as listed, or only as approved. ${ADMIN_ONLY}`),
    expose_resources: z.boolean().describe(`Whether clients get the server's resources, too. False for members.`),
    expose_prompts: z.boolean().describe(`Whether clients get the server's prompts, too. False for members.`),
    availability: z
      .enum(MCP_AVAILABILITIES)
      .describe('In all chats, in new chats by default, or only in chats where it is selected.'),
    enabled: z.boolean().describe('The kill switch. Members only see enabled servers.'),
    auth_connected: z.boolean().describe('Whether the caller is connected. Always true unless auth_type is oauth2.'),
    created_at: z.string().describe('When it was created (UTC).').meta({ format: 'date-time' }),
    updated_at: z.string().describe('When it was last changed (UTC).').meta({ format: 'date-time' }),
  })
  .describe('An MCP server. It never contains secrets, only whether they are stored.');

/** The same as a type. */
export type McpServer = z.output<typeof McpServer>;

/** The response of `GET /`. */
export const McpServerList = z
  .array(McpServer)
  .describe('All servers that the caller may see, sorted by display name.');

/** What `DELETE /{id}/oauth2/disconnect` returns if asked. */
export const Disconnection = z
  .strictObject({
    token_revoked: z.boolean().describe('Whether the authorization server confirmed the revocation.'),
    token_revocation_error: z
      .string()
      .describe('Why the token was not revoked. Empty if it was, or if there was nothing to revoke.'),
  })
  .describe('What happened to the tokens at the authorization server.');

const READ_ONLY = 'Is read-only: leave it out.';
const NOT_SUPPORTED = 'Is not supported by this gateway: leave it out.';

/** Why both bodies refuse a field that callers may send: it is only in responses, or only other gateways have it. */
export const REFUSED_FIELDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.keys(McpServer.shape)
      .filter((name) => !Object.hasOwn(UpdateMcpServer.shape, name))
      .map((name) => [name, READ_ONLY]),
  ),
  // Later versions of the API that this one is based on.
  allow_in_plan_mode: NOT_SUPPORTED,
  custom_headers_user_key_descriptions: NOT_SUPPORTED,
  custom_headers_user_keys: NOT_SUPPORTED,
  forward_coder_headers: NOT_SUPPORTED,
  model_intent: NOT_SUPPORTED,
};
