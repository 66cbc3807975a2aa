/** One request of a discovery, or the places that were tried for one thing. */
export interface DiscoveryStep {
  name: 'challenge' | 'protected_resource_metadata' | 'authorization_server_metadata';
  /** What was asked. It may come from the other side: a URL in ASCII, at most about 2,100 characters. */
  url: string;
  /** `absent`: it is honestly not there, and discovery goes on elsewhere if it can. `failed`: it is wrong. */
  outcome: 'found' | 'absent' | 'failed';
  /** For an admin, in our own words: never text of the answer. */
  message: string;
}

/** What the gateway needs to know of an authorization server, and of the MCP server as its resource. All of it checked. */
export interface DiscoveredProvider {
  /** The MCP server's resource identifier, letter by letter as its metadata has it: the `resource` of RFC 8707. */
  resource: string;
  /** The authorization server's issuer identifier, letter by letter: what `iss` of RFC 9207 is compared with. */
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  /** RFC 7009; empty when there is none. */
  revocationEndpoint: string;
  /** RFC 7591; empty when there is none. */
  registrationEndpoint: string;
  /** Whether an authorization response without `iss` must be refused (RFC 9207, section 2.3). */
  isIssParameterSupported: boolean;
  /** As listed; `client_secret_basic` alone when nothing is listed (RFC 8414, section 2). */
  tokenAuthMethods: string[];
  /** Likewise, for the revocation endpoint. */
  revocationAuthMethods: string[];
  /** The scopes to ask for, at most 100; empty means that the `scope` parameter is left out. */
  scopes: string[];
  /** Whether a client id may be the URL of a metadata document. */
  isClientIdMetadataDocumentSupported: boolean;
}

/** What a discovery did and found. `provider` is null exactly when `problems` is not empty. */
export interface DiscoveryReport {
  steps: DiscoveryStep[];
  provider: DiscoveredProvider | null;
  /** Why there is no provider, for an admin, in our own words. */
  problems: string[];
}

/** What one part of a discovery did. `found` is null exactly when `problems` is not empty. */
export interface DiscoveryPart<Found> {
  steps: DiscoveryStep[];
  found: Found | null;
  problems: string[];
}
