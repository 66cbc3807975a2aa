import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, errors as joseErrors, jwtVerify } from 'jose';
import { answerInteraction, type EndUser } from './authorization-server-consent.ts';
import { createProvider, INTROSPECTOR_ID, PATHS, type Provider } from './authorization-server-provider.ts';
import { type SeenRequest, startWatchedServer, type Traffic } from './authorization-server-traffic.ts';

/** The default scope of a resource. */
export const DEFAULT_SCOPE = 'mcp:tools';

/** How this authorization server differs from the strict default. */
export interface AuthorizationServerOptions {
  /** The user who logs in; `alice` by default. */
  account?: string;
  /** Resources for which tokens can be requested, in addition to those of `addResource`. */
  resources?: readonly string[];
  /** Whether requests must name their resource (RFC 8707), the default; otherwise the first resource is used. */
  resourceRequired?: boolean;
  /** `opaque` by default. A JWT can be neither revoked nor introspected: it is valid until it expires. */
  accessTokenFormat?: 'opaque' | 'jwt';
  /** 600 by default. */
  accessTokenTtlSeconds?: number;
  /**
   * By default each authorization is a separate grant. `true`: all of one client in one browser session are one grant,
   * the default of `oidc-provider`, and revoking a token of one ends them all.
   */
  sharesGrants?: boolean;
  /** Allows client ids that are https URLs of a metadata document (CIMD), fetched with this. Off by default. */
  fetchClientMetadata?: (request: Request) => Promise<Response>;
}

/** A manually registered client. */
export interface TestClient {
  redirectUris: readonly string[];
  /** Required by all methods but `none`. */
  secret?: string;
  /** By default `client_secret_basic` with a secret, otherwise `none`. The server accepts a secret either way. */
  authMethod?: 'none' | 'client_secret_basic' | 'client_secret_post';
}

/** The introspection of a token (RFC 7662). */
export interface TokenFacts {
  active: boolean;
  aud?: string | string[];
  scope?: string;
  sub?: string;
  client_id?: string;
}

/** A running certified authorization server on a loopback port. */
export interface TestAuthorizationServer extends Traffic {
  issuer: string;
  /** URLs, as in its metadata. */
  endpoints: Record<keyof typeof PATHS, string>;
  /** Sets the user who logs in from now on. */
  account: string;
  /** The user refuses the next consent: the client gets `access_denied`. */
  refuseNextConsent(): void;
  /** Allows tokens for exactly this URI. @param scopes of the resource; a client that requests none gets all of them */
  addResource(uri: string, scopes?: readonly string[]): void;
  /** Registers a client. @returns its id */
  addClient(client: TestClient): Promise<string>;
  /** Deletes the client: `invalid_client` at the token endpoint, an error page at the authorization endpoint. */
  forgetClient(clientId: string): Promise<void>;
  /** Expires the client's secret (RFC 7591, `client_secret_expires_at`): `invalid_client`. */
  expireRegistration(clientId: string): Promise<void>;
  /** Expires this opaque access or refresh token. The others of its grant stay valid. */
  expireToken(token: string): Promise<void>;
  /** Requests to the token endpoint so far. @param grantType only these */
  tokenRequests(grantType?: 'authorization_code' | 'refresh_token'): SeenRequest[];
  introspect(token: string): Promise<TokenFacts>;
  isActive(token: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Starts `oidc-provider` as a strict OAuth 2.1 server for MCP: PKCE with S256 for all clients, exact resources (RFC
 * 8707), rotating refresh tokens whose reuse ends the grant, revocation (RFC 7009), introspection (RFC 7662), open
 * registration (RFC 7591), `iss` in answers (RFC 9207), and metadata at both locations (RFC 8414, OpenID Discovery).
 */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<TestAuthorizationServer> {
  const { resourceRequired = true, accessTokenFormat = 'opaque' } = options;
  const resources = new Map<string, readonly string[]>();
  const addResource: TestAuthorizationServer['addResource'] = (uri, scopes = []) => {
    resources.set(uri, scopes.length === 0 ? [DEFAULT_SCOPE] : scopes);
  };
  for (const uri of options.resources ?? []) addResource(uri);

  const endUser: EndUser = { account: options.account ?? 'alice', refusals: 0 };
  const introspectorSecret = randomBytes(16).toString('hex');
  let handle: (seen: SeenRequest, request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
  const server = await startWatchedServer((seen, request, response) => handle(seen, request, response));
  const issuer = server.origin;
  const provider = await createProvider(issuer, {
    introspectorSecret,
    findScopes: (resource) => resources.get(resource),
    findDefaultResource: () => (resourceRequired ? undefined : [...resources.keys()][0]),
    accessTokenFormat,
    accessTokenTtlSeconds: options.accessTokenTtlSeconds ?? 600,
    sharesGrants: options.sharesGrants ?? false,
    fetchClientMetadata: options.fetchClientMetadata,
  });
  const answer = provider.callback();
  handle = (seen, request, response) => {
    if (seen.path.startsWith('/interaction/')) return answerInteraction(provider, endUser, request, response);
    if (resourceRequired && isTokenRequestWithoutResource(seen)) return refuseTarget(response);
    request.url = withScope(seen, request.url ?? '', resources);
    return answer(request, response);
  };

  const endpoints = Object.fromEntries(
    Object.entries(PATHS).map(([name, path]) => [name, issuer + path]),
  ) as TestAuthorizationServer['endpoints'];
  const introspect =
    accessTokenFormat === 'jwt'
      ? createJwtIntrospection(issuer, endpoints.jwks)
      : createIntrospection(endpoints.introspection, introspectorSecret);

  return {
    ...server,
    ...createClientRegistry(provider),
    issuer,
    endpoints,
    get account() {
      return endUser.account;
    },
    set account(account) {
      endUser.account = account;
    },
    refuseNextConsent() {
      endUser.refusals += 1;
    },
    addResource,
    async expireToken(token) {
      const found = (await provider.AccessToken.find(token)) ?? (await provider.RefreshToken.find(token));
      if (found === undefined) throw new Error('the authorization server does not know this token');
      await found.destroy();
    },
    tokenRequests: (grantType) =>
      server.requests.filter(
        ({ path, form }) => path === PATHS.token && (grantType === undefined || form?.get('grant_type') === grantType),
      ),
    introspect,
    isActive: async (token) => (await introspect(token)).active,
  };
}

function createClientRegistry(
  provider: Provider,
): Pick<TestAuthorizationServer, 'addClient' | 'forgetClient' | 'expireRegistration'> {
  const clients = provider.Client.adapter;
  return {
    async addClient({ redirectUris, secret, authMethod = secret === undefined ? 'none' : 'client_secret_basic' }) {
      if ((authMethod === 'none') !== (secret === undefined)) throw new Error(`${authMethod}: check the secret`);
      const clientId = randomUUID();
      await clients.upsert(clientId, {
        client_id: clientId,
        redirect_uris: redirectUris,
        token_endpoint_auth_method: authMethod,
        ...(secret !== undefined && { client_secret: secret }),
      });
      return clientId;
    },
    forgetClient: (clientId) => clients.destroy(clientId),
    async expireRegistration(clientId) {
      const found = await clients.find(clientId);
      if (found === undefined) throw new Error('the authorization server does not know this client');
      await clients.upsert(clientId, { ...found, client_secret_expires_at: 1 });
    },
  };
}

/** `oidc-provider` would take the resource of the authorization request. MCP wants it in both. */
function isTokenRequestWithoutResource({ method, path, form }: SeenRequest): boolean {
  return method === 'POST' && path === PATHS.token && form?.get('resource') === null;
}

function refuseTarget(response: ServerResponse): void {
  const body = { error: 'invalid_target', error_description: 'name the resource (RFC 8707)' };
  response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** An authorization request without a scope is for all of its resource's (RFC 6749, section 3.3, lets the server say). */
function withScope(
  { path, query }: SeenRequest,
  url: string,
  resources: ReadonlyMap<string, readonly string[]>,
): string {
  if (path !== PATHS.authorization || query.has('scope')) return url;
  const named = query.has('resource') ? query.getAll('resource') : [...resources.keys()].slice(0, 1);
  const scopes = named.flatMap((resource) => resources.get(resource) ?? []);
  return `${url}${url.includes('?') ? '&' : '?'}scope=${encodeURIComponent([...new Set(scopes)].join(' '))}`;
}

function createIntrospection(url: string, secret: string): TestAuthorizationServer['introspect'] {
  return async (token) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${INTROSPECTOR_ID}:${secret}`)}` },
      body: new URLSearchParams({ token }),
    });
    if (!response.ok) throw new Error(`introspection: ${response.status} ${await response.text()}`);
    return (await response.json()) as TokenFacts;
  };
}

/** What a resource server finds out by itself (RFC 9068); it learns nothing of a grant that ended. */
function createJwtIntrospection(issuer: string, jwksUrl: string): TestAuthorizationServer['introspect'] {
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, typ: 'at+jwt' });
      return { active: true, ...payload };
    } catch (error) {
      if (error instanceof joseErrors.JOSEError) return { active: false };
      throw error;
    }
  };
}
