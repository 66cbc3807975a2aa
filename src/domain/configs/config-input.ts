import type { Secret } from '../../crypto/secret.ts';
import type {
  McpAuthType,
  McpAvailability,
  McpToolApproval,
  McpTransport,
  OAuthCallbackMode,
  OAuthResourceMode,
} from '../../data/records.ts';

/** A header with a secret value. */
export interface HttpHeader {
  name: string;
  value: Secret;
}

/**
 * An admin's input for creating or updating a config, after the API (GraphQL, REST) has checked the types. An absent
 * field is unchanged (or gets its default), null clears it.
 */
export interface ConfigInput {
  displayName?: string | null | undefined;
  slug?: string | null | undefined;
  url?: string | null | undefined;
  transport?: McpTransport | null | undefined;
  authType?: McpAuthType | null | undefined;
  availability?: McpAvailability | null | undefined;
  enabled?: boolean | null | undefined;
  description?: string | null | undefined;
  iconUrl?: string | null | undefined;
  oauth2ClientId?: string | null | undefined;
  oauth2ClientSecret?: Secret | null | undefined;
  oauth2AuthUrl?: string | null | undefined;
  oauth2TokenUrl?: string | null | undefined;
  oauth2RevocationUrl?: string | null | undefined;
  oauth2Issuer?: string | null | undefined;
  oauth2Scopes?: readonly string[] | null | undefined;
  oauth2ResourceMode?: OAuthResourceMode | null | undefined;
  oauth2CallbackMode?: OAuthCallbackMode | null | undefined;
  apiKeyHeader?: string | null | undefined;
  apiKeyValue?: Secret | null | undefined;
  customHeaders?: readonly HttpHeader[] | null | undefined;
  toolAllowList?: readonly string[] | null | undefined;
  toolDenyList?: readonly string[] | null | undefined;
  toolApproval?: McpToolApproval | null | undefined;
  exposeResources?: boolean | null | undefined;
  exposePrompts?: boolean | null | undefined;
}

/** The three secrets of a config. */
export const SECRET_FIELDS = ['oauth2ClientSecret', 'apiKeyValue', 'customHeaders'] as const;

/** The name of a secret of a config. */
export type SecretField = (typeof SECRET_FIELDS)[number];
