import { z } from 'zod';
import { MCP_AUTH_TYPES, MCP_AVAILABILITIES, MCP_TRANSPORTS } from '../../data/records.ts';

const ADMIN_ONLY = 'Empty for members.';

/** Text that an empty text or null clears. */
const clearableText = z.string().nullable();
const names = z.array(z.string()).nullable();

/** The body of `PATCH /{id}`. */
export const UpdateMcpServer = z
  .object({
    display_name: z.string().describe('The name that people see, 1 to 120 characters.'),
    slug: z
      .string()
      .describe('Short unique name: 1 to 64 lower-case letters, digits and single "-". Begins the names of its tools.'),
    url: z.string().describe('Where the MCP server is: https:, or http: to loopback or an allowed private host.'),
    transport: z.enum(MCP_TRANSPORTS).describe('How the server speaks MCP. At first streamable_http.'),
    auth_type: z
      .enum(MCP_AUTH_TYPES)
      .describe('How the gateway signs in to the server. At first none. A change clears what belonged to the old one.'),
    availability: z
      .enum(MCP_AVAILABILITIES)
      .describe('In every chat, in new chats unless taken out, or only where chosen. At first default_off.'),
    enabled: z.boolean().describe('The kill switch: whether anybody but staff sees and uses it. At first false.'),
    description: clearableText.describe('What the server is good for, at most 4,000 characters.'),
    icon_url: clearableText.describe('Where its icon is.'),
    oauth2_client_id: clearableText.describe('Client id at the authorization server; needed for oauth2.'),
    oauth2_client_secret: clearableText.describe('Secret. Client secret at the authorization server.'),
    oauth2_auth_url: clearableText.describe('Authorization endpoint; needed for oauth2.'),
    oauth2_token_url: clearableText.describe('Token endpoint; needed for oauth2.'),
    oauth2_revocation_url: clearableText.describe('Revocation endpoint (RFC 7009).'),
    oauth2_issuer: clearableText.describe('Issuer identifier of the authorization server (RFC 8414).'),
    oauth2_scopes: clearableText.describe('Scopes to ask for, separated by spaces.'),
    api_key_header: clearableText.describe('The header that carries the key; needed for api_key.'),
    api_key_value: clearableText.describe('Secret. The key; needed for api_key.'),
    custom_headers: z
      .record(z.string(), z.string())
      .nullable()
      .describe('Secret. Headers by name; at least one is needed for custom_headers. What is sent is the new whole.'),
    tool_allow_list: names.describe('When not empty, only these tools. What is sent is the new whole.'),
    tool_deny_list: names.describe('Never these tools; wins over the allow list. What is sent is the new whole.'),
  })
  .partial()
  .describe('What to change. A field that is absent stays; null or an empty value clears it where it may be empty.');

/** The body of `POST /`. */
export const CreateMcpServer = UpdateMcpServer.required({ display_name: true, slug: true, url: true }).describe(
  'A new MCP server.',
);

/** The fields of both bodies. */
export type McpServerBody = z.output<typeof UpdateMcpServer>;

/** One server, as every role gets it. */
export const McpServer = z
  .strictObject({
    id: z.string().describe('Its id.').meta({ format: 'uuid' }),
    display_name: z.string().describe('The name that people see.'),
    slug: z.string().describe('Short unique name. The name of a tool shown to a model is `<slug>__<tool>`.'),
    description: z.string().describe('What the server is good for.'),
    icon_url: z.string().describe('Where its icon is, or empty.'),
    transport: z.enum([...MCP_TRANSPORTS, '']).describe(`How the server speaks MCP. ${ADMIN_ONLY}`),
    url: z.string().describe(`Where the server is. ${ADMIN_ONLY}`),
    auth_type: z.enum(MCP_AUTH_TYPES).describe('How the gateway signs in to the server.'),
    oauth2_client_id: z.string().describe(`Client id at the authorization server. ${ADMIN_ONLY}`),
    has_oauth2_secret: z.boolean().describe('Whether a client secret is stored.'),
    oauth2_auth_url: z.string().describe(`Authorization endpoint. ${ADMIN_ONLY}`),
    oauth2_token_url: z.string().describe(`Token endpoint. ${ADMIN_ONLY}`),
    oauth2_revocation_url: z.string().describe(`Revocation endpoint. ${ADMIN_ONLY}`),
    oauth2_issuer: z.string().describe(`Issuer identifier of the authorization server. ${ADMIN_ONLY}`),
    oauth2_scopes: z.string().describe(`Scopes that are asked for, separated by spaces. ${ADMIN_ONLY}`),
    api_key_header: z.string().describe(`The header that carries the key. ${ADMIN_ONLY}`),
    has_api_key: z.boolean().describe('Whether a key is stored.'),
    has_custom_headers: z.boolean().describe('Whether custom headers are stored.'),
    tool_allow_list: z.array(z.string()).describe('When not empty, only these tools are to be had.'),
    tool_deny_list: z.array(z.string()).describe('These tools are never to be had.'),
    availability: z.enum(MCP_AVAILABILITIES).describe('In every chat, in new chats unless taken out, or where chosen.'),
    enabled: z.boolean().describe('The kill switch. Members see enabled servers only.'),
    auth_connected: z
      .boolean()
      .describe('Whether the caller himself is connected; true for every auth_type but oauth2.'),
    created_at: z.string().describe('When it was defined (UTC).').meta({ format: 'date-time' }),
    updated_at: z.string().describe('When it was last changed (UTC).').meta({ format: 'date-time' }),
  })
  .describe('An MCP server. Secrets are never part of it, only whether they are stored.');

/** The same as a type. */
export type McpServer = z.output<typeof McpServer>;

/** The answer of `GET /`. */
export const McpServerList = z.array(McpServer).describe('All servers that the caller may see, by display name.');
