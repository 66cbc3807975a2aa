import type { Secret } from '../../crypto/secret.ts';

/** The client authentication methods at the token endpoint (RFC 7591, section 2), in order of preference. */
export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const;

/** A client authentication method. */
export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number];

/** The gateway as a client of one authorization server. */
export interface OAuthClient {
  clientId: string;
  secret: Secret | null;
  /**
   * Authentication methods, best first. The second is tried when the server does not accept the client with the first.
   */
  authMethods: readonly ClientAuthMethod[];
}

/** Everything about a config's authorization server that connecting, refreshing and revoking need. */
export interface OAuthProvider {
  configId: string;
  /** Empty when unknown, because the settings do not include it. */
  issuer: string;
  /** Whether authorization responses must include `iss` (RFC 9207). */
  isIssRequired: boolean;
  authUrl: string;
  tokenUrl: string;
  /** Empty when there is none. */
  revocationUrl: string;
  /** The scopes to request. */
  scopes: readonly string[];
  /** The `resource` parameter (RFC 8707). Null when it is not sent. */
  resource: string | null;
  client: OAuthClient;
  /** The origin of the gateway's client. It decides what happens when the server no longer knows the client. */
  clientSource: 'given' | 'metadata_document' | 'registered';
}
