import { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { ConfigInput } from '../../domain/configs/config-input.ts';
import type { OAuthUrls } from '../../domain/oauth/redirect-urls.ts';
import { can } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { McpServer, McpServerBody } from './server-schemas.ts';

/** Converts a request body to the domain's input. Secrets are wrapped in `Secret` here. */
export function toConfigInput(body: McpServerBody): ConfigInput {
  return {
    displayName: body.display_name,
    slug: body.slug,
    url: body.url,
    transport: body.transport,
    authType: body.auth_type,
    availability: body.availability,
    enabled: body.enabled,
    description: body.description,
    iconUrl: body.icon_url,
    oauth2ClientId: body.oauth2_client_id,
    oauth2ClientSecret: ifGiven(body.oauth2_client_secret, toSecret),
    oauth2AuthUrl: body.oauth2_auth_url,
    oauth2TokenUrl: body.oauth2_token_url,
    oauth2RevocationUrl: body.oauth2_revocation_url,
    oauth2Issuer: body.oauth2_issuer,
    oauth2Scopes: ifGiven(body.oauth2_scopes, (scopes) => scopes.split(/\s+/)),
    oauth2CallbackMode: body.oauth2_callback_mode,
    oauth2ResourceMode: body.oauth2_resource_mode,
    apiKeyHeader: body.api_key_header,
    apiKeyValue: ifGiven(body.api_key_value, toSecret),
    customHeaders: ifGiven(body.custom_headers, (headers) =>
      Object.entries(headers).map(([name, value]) => ({ name, value: toSecret(value) })),
    ),
    toolAllowList: body.tool_allow_list,
    toolDenyList: body.tool_deny_list,
    toolApproval: body.tool_approval,
    exposeResources: body.expose_resources,
    exposePrompts: body.expose_prompts,
    // Type error here: a field was added to the domain but not to this mapping.
  } satisfies Record<keyof ConfigInput, unknown>;
}

/** Replaces the fields that only staff may read, for other callers. */
const HIDDEN = {
  transport: '',
  url: '',
  oauth2_client_id: '',
  oauth2_auth_url: '',
  oauth2_token_url: '',
  oauth2_revocation_url: '',
  oauth2_issuer: '',
  oauth2_scopes: '',
  oauth2_callback_mode: '',
  oauth_callback_url: '',
  oauth2_resource_mode: '',
  api_key_header: '',
  tool_approval: '',
  expose_resources: false,
  expose_prompts: false,
} as const satisfies Partial<McpServer>;

/**
 * Converts a config to the response body, without the fields that the viewer may not see.
 *
 * @param isConnected whether the viewer's own connection can be used
 */
export function toMcpServer(
  viewer: Viewer,
  config: McpServerConfigRecord,
  { isConnected, urls }: { isConnected: boolean; urls: Pick<OAuthUrls, 'redirectUri'> },
): McpServer {
  const server: McpServer = {
    id: config.id,
    display_name: config.displayName,
    slug: config.slug,
    description: config.description,
    icon_url: config.iconUrl,
    transport: config.transport,
    url: config.url,
    auth_type: config.authType,
    oauth2_client_id: config.oauth2ClientId,
    has_oauth2_secret: config.hasOAuth2Secret,
    oauth2_auth_url: config.oauth2AuthUrl,
    oauth2_token_url: config.oauth2TokenUrl,
    oauth2_revocation_url: config.oauth2RevocationUrl,
    oauth2_issuer: config.oauth2Issuer,
    oauth2_scopes: config.oauth2Scopes.join(' '),
    oauth2_callback_mode: config.oauth2CallbackMode,
    oauth_callback_url: config.authType === 'oauth2' ? urls.redirectUri(config) : '',
    oauth2_resource_mode: config.oauth2ResourceMode,
    api_key_header: config.apiKeyHeader,
    has_api_key: config.hasApiKey,
    has_custom_headers: config.hasCustomHeaders,
    tool_allow_list: config.toolAllowList,
    tool_deny_list: config.toolDenyList,
    tool_approval: config.toolApproval,
    expose_resources: config.exposeResources,
    expose_prompts: config.exposePrompts,
    availability: config.availability,
    enabled: config.enabled,
    auth_connected: isConnected,
    created_at: config.createdAt.toISOString(),
    updated_at: config.updatedAt.toISOString(),
  };
  return can(viewer, 'mcpServerConfig.readAdminFields') ? server : { ...server, ...HIDDEN };
}

function toSecret(text: string): Secret {
  return new Secret(text);
}

/** Maps a value. Null (clear) and undefined (leave unchanged) are returned as they are. */
function ifGiven<Given, Result>(
  value: Given | null | undefined,
  map: (value: Given) => Result,
): Result | null | undefined {
  if (value === undefined) return undefined;
  return value === null ? null : map(value);
}
