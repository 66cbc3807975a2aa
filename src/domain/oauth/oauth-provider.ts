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
   * Authentication methods, best first. The next is tried when the server does not accept the client with the one before.
   */
  authMethods: readonly ClientAuthMethod[];
  /**
   * Other methods that the secret allows. They are tried only when the server seems not to have read the credentials: it
   * listed or registered other methods, but servers do not always follow what they say.
   */
  spareMethods: readonly ClientAuthMethod[];
}

/** A client that was replaced by a newer registration, and whose tokens are still in use. */
export interface FormerClient {
  clientId: string;
  secret: { openFor(...urls: readonly string[]): Secret } | null;
  authMethod: ClientAuthMethod;
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
  /** The gateway's earlier clients there. */
  formerClients: readonly FormerClient[];
  /** The origin of the gateway's client. It decides what happens when the server no longer knows the client. */
  clientSource: 'given' | 'metadata_document' | 'registered';
}

/**
 * The provider as it was for tokens that were issued to this client: only that client may refresh and revoke them (RFC
 * 6749, section 6; RFC 7009, section 2.1).
 *
 * @param clientId empty when unknown
 * @throws DECRYPTION_FAILED when the former client's secret does not open
 */
export function toIssuingProvider(provider: OAuthProvider, clientId: string): OAuthProvider {
  const former = provider.formerClients.find((each) => each.clientId === clientId);
  if (former === undefined || clientId === provider.client.clientId) return provider;
  const secret = former.secret?.openFor(provider.tokenUrl, provider.revocationUrl) ?? null;
  return { ...provider, client: { clientId, secret, ...toRegisteredMethods(secret, former.authMethod) } };
}

/** The methods of a client that was registered with one. */
export function toRegisteredMethods(
  secret: Secret | null,
  method: ClientAuthMethod,
): Pick<OAuthClient, 'authMethods' | 'spareMethods'> {
  if (secret === null) return { authMethods: ['none'], spareMethods: [] };
  return { authMethods: [method], spareMethods: SECRET_METHODS.filter((each) => each !== method) };
}

/** The methods that send a secret. */
export const SECRET_METHODS = ['client_secret_basic', 'client_secret_post'] as const satisfies ClientAuthMethod[];
