/** One request of a discovery, or the URLs tried for one document. */
export interface DiscoveryStep {
  name: 'challenge' | 'protected_resource_metadata' | 'authorization_server_metadata';
  /** The requested URL. It may come from the other side: ASCII, at most about 2,100 characters. */
  url: string;
  /**
   * `absent`: it does not exist, and discovery continues elsewhere if possible. `failed`: it is invalid or unavailable.
   */
  outcome: 'found' | 'absent' | 'failed';
  /** For an admin, in the gateway's own words. Never text from the response. */
  message: string;
}

/** The validated facts about an authorization server, and about the MCP server as its resource. */
export interface DiscoveredProvider {
  /**
   * The MCP server's resource identifier exactly as in its metadata: the `resource` of RFC 8707. Empty when the server has
   * no such metadata.
   */
  resource: string;
  /** The exact issuer identifier of the authorization server. `iss` of RFC 9207 is compared with it. */
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  /** RFC 7009; empty when there is none. */
  revocationEndpoint: string;
  /** RFC 7591; empty when there is none. */
  registrationEndpoint: string;
  /** Whether an authorization response without `iss` must be rejected (RFC 9207, section 2.3). */
  isIssParameterSupported: boolean;
  /** As listed. Only `client_secret_basic` when nothing is listed (RFC 8414, section 2). */
  tokenAuthMethods: string[];
  /** The same for the revocation endpoint. */
  revocationAuthMethods: string[];
  /** The scopes to request, at most 100. Empty means that the `scope` parameter is omitted. */
  scopes: string[];
  /** Whether a client id may be the URL of a metadata document. */
  isClientIdMetadataDocumentSupported: boolean;
  /** Whether no document confirms the endpoints: they are the defaults of MCP 2025-03-26. */
  isAssumed: boolean;
}

/** What a discovery did and found. `provider` is null if and only if `problems` is not empty. */
export interface DiscoveryReport {
  steps: DiscoveryStep[];
  provider: DiscoveredProvider | null;
  /** Why there is no provider, for an admin, in the gateway's own words. */
  problems: string[];
}

/** The result of one part of a discovery. `found` is null if and only if `problems` is not empty. */
export interface DiscoveryPart<Found> {
  steps: DiscoveryStep[];
  found: Found | null;
  problems: string[];
}
