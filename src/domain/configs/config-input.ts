import type { Secret } from '../../crypto/secret.ts';
import type { McpAuthType, McpAvailability, McpTransport, OAuthResourceMode } from '../../data/records.ts';

/** A header with a secret value. */
export interface HttpHeader {
  name: string;
  value: Secret;
}

/**
 * What an admin sends to define a config, for creation and update alike, after the face (GraphQL, REST) has checked
 * the types. Absent leaves a field as it is (or at its default), null clears it.
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
  apiKeyHeader?: string | null | undefined;
  apiKeyValue?: Secret | null | undefined;
  customHeaders?: readonly HttpHeader[] | null | undefined;
  toolAllowList?: readonly string[] | null | undefined;
  toolDenyList?: readonly string[] | null | undefined;
}

/** The three secrets of a config. */
export const SECRET_FIELDS = ['oauth2ClientSecret', 'apiKeyValue', 'customHeaders'] as const;

/** The name of one of the three. */
export type SecretField = (typeof SECRET_FIELDS)[number];
