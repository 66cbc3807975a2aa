import type { Secret } from '../../crypto/secret.ts';

/** How a client proves who it is at the token endpoint (RFC 7591, section 2), in the order of preference. */
export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const;

/** One of them. */
export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number];

/** The gateway as a client of one authorization server. */
export interface OAuthClient {
  clientId: string;
  secret: Secret | null;
  /** Ways to send the secret, best first: a second one is tried when the server does not know the client by the first. */
  authMethods: readonly ClientAuthMethod[];
}

/** Everything about one config's authorization server that connecting, refreshing and revoking need. */
export interface OAuthProvider {
  configId: string;
  /** Empty when nobody knows it: the settings were given without it. */
  issuer: string;
  /** Whether authorization answers have to say who gives them (RFC 9207). */
  isIssRequired: boolean;
  authUrl: string;
  tokenUrl: string;
  /** Empty when there is none. */
  revocationUrl: string;
  /** What a user is asked for. */
  scopes: readonly string[];
  /** The `resource` parameter (RFC 8707), or null when it is not sent. */
  resource: string | null;
  client: OAuthClient;
  /** Where the gateway's client came from, and what to do when the server does not know it any more. */
  clientSource: 'given' | 'metadata_document' | 'registered';
}
