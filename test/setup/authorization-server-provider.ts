import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createOidcSigner } from './oidc-signer.ts';

/** Paths of the endpoints, as `oidc-provider` has them by default. */
export const PATHS = {
  authorization: '/auth',
  token: '/token',
  revocation: '/token/revocation',
  introspection: '/token/introspection',
  registration: '/reg',
  jwks: '/jwks',
  metadata: '/.well-known/oauth-authorization-server',
  openidMetadata: '/.well-known/openid-configuration',
} as const;

/** The client that introspects tokens for the tests and the resource servers. */
export const INTROSPECTOR_ID = 'introspector';

/** The part of `oidc-provider` that the authorization server uses. */
export interface Provider {
  callback(): RequestListener;
  interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: unknown): Promise<void>;
  Grant: { new (owner: { accountId: string; clientId: string }): Grant; find(id: string): Promise<Grant | undefined> };
  Client: {
    find(id: string): Promise<object | undefined>;
    adapter: {
      upsert(id: string, metadata: object): Promise<void>;
      find(id: string): Promise<object | undefined>;
      destroy(id: string): Promise<void>;
    };
  };
  AccessToken: TokenModel;
  RefreshToken: TokenModel;
}

interface TokenModel {
  find(value: string): Promise<{ destroy(): Promise<void> } | undefined>;
}

/** What the end user is asked between the authorization request and its answer. */
export interface Interaction {
  prompt: {
    name: string;
    details: { missingOIDCScope?: string[]; missingResourceScopes?: Record<string, string[]> };
  };
  params: { client_id: string };
  session?: { accountId?: string };
  grantId?: string;
}

interface Grant {
  addOIDCScope(scopes: string[]): void;
  addResourceScope(resource: string, scopes: string[]): void;
  save(): Promise<string>;
}

/** Differences between authorization servers. */
export interface ProviderOptions {
  introspectorSecret: string;
  /** The scopes of a resource; undefined for an unknown URI. */
  findScopes(resource: string): readonly string[] | undefined;
  /** The resource of a request that names none; undefined to refuse it. */
  findDefaultResource(): string | undefined;
  accessTokenFormat: 'opaque' | 'jwt';
  accessTokenTtlSeconds: number;
  /** Whether all authorizations of a client in one browser session share a grant, and are revoked together. */
  sharesGrants: boolean;
  /** Fetches the document at an https client id, and thereby allows such ids. */
  fetchClientMetadata?: ((request: Request) => Promise<Response>) | undefined;
}

const DAY_SECONDS = 86_400;

/**
 * Creates a certified provider, configured as a strict authorization server for MCP. Shares no state with other
 * providers.
 */
export async function createProvider(issuer: string, options: ProviderOptions): Promise<Provider> {
  const { findScopes, findDefaultResource, accessTokenFormat, accessTokenTtlSeconds, fetchClientMetadata } = options;
  const module = (await withoutNotices(() => import('oidc-provider'))) as unknown as {
    default: new (issuer: string, configuration: object) => Provider;
    errors: { InvalidTarget: new (description: string) => Error };
  };
  const invalidTarget = (description: string): Error => new module.errors.InvalidTarget(description);
  const signer = await createOidcSigner('ES256');

  const provider: Provider = await withoutNotices(
    () =>
      new module.default(issuer, {
        clients: [
          {
            client_id: INTROSPECTOR_ID,
            client_secret: options.introspectorSecret,
            grant_types: [],
            response_types: [],
            redirect_uris: [],
          },
        ],
        clientDefaults: {
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          id_token_signed_response_alg: 'ES256',
          token_endpoint_auth_method: 'client_secret_basic',
        },
        clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
        // Tokens expire on time and not 15 seconds later.
        clockTolerance: 0,
        cookies: { keys: [randomBytes(16).toString('hex')] },
        jwks: { keys: [signer.privateJwk] },
        pkce: { required: () => true },
        issueRefreshToken: (_context: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
          client.grantTypeAllowed('refresh_token'),
        expiresWithSession: () => false,
        rotateRefreshToken: true,
        findAccount: (_context: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
        interactions: { url: (_context: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
        ...(!options.sharesGrants && { loadExistingGrant: loadGrantOfThisRequest }),
        renderError: renderErrorPage,
        clientBasedCORS: () => false,
        ttl: {
          AccessToken: accessTokenTtlSeconds,
          AuthorizationCode: 60,
          Grant: DAY_SECONDS,
          IdToken: accessTokenTtlSeconds,
          Interaction: 600,
          RefreshToken: DAY_SECONDS,
          Session: DAY_SECONDS,
        },
        features: {
          devInteractions: { enabled: false },
          userinfo: { enabled: false },
          registration: { enabled: true },
          revocation: {
            enabled: true,
            allowedPolicy: (_context: unknown, client: { clientId: string }, token: { clientId: string }) =>
              token.clientId === client.clientId,
          },
          introspection: {
            enabled: true,
            // It would fail on a token whose client was deleted; such a token is invalid.
            allowedPolicy: async (_context: unknown, _client: unknown, token: { clientId: string }) =>
              (await provider.Client.find(token.clientId)) !== undefined,
          },
          resourceIndicators: {
            enabled: true,
            defaultResource: (_context: unknown, _client: unknown, granted?: string[]) => {
              const resource = granted ?? findDefaultResource();
              if (resource === undefined) throw invalidTarget('name the resource (RFC 8707)');
              return resource;
            },
            getResourceServerInfo: (_context: unknown, resource: string) => {
              const scopes = findScopes(resource);
              if (scopes === undefined) throw invalidTarget('this resource is not served here');
              return {
                audience: resource,
                scope: scopes.join(' '),
                accessTokenFormat,
                accessTokenTTL: accessTokenTtlSeconds,
                ...(accessTokenFormat === 'jwt' && { jwt: { sign: { alg: 'ES256' } } }),
              };
            },
          },
          ...(fetchClientMetadata !== undefined && { clientIdMetadataDocument: { enabled: true, ack: 'draft-02' } }),
        },
        ...(fetchClientMetadata !== undefined && {
          fetch: (url: string, { headers }: RequestInit) =>
            fetchClientMetadata(new Request(url, { ...(headers !== undefined && { headers }), redirect: 'manual' })),
        }),
      }),
  );
  return provider;
}

/** Each authorization is a separate grant: revoking one leaves the others of the same browser. */
function loadGrantOfThisRequest({ oidc }: GrantContext): Promise<Grant | undefined> | undefined {
  const grantId = oidc.result?.consent?.grantId;
  return grantId === undefined ? undefined : oidc.provider.Grant.find(grantId);
}

interface GrantContext {
  oidc: { provider: Provider; result?: { consent?: { grantId?: string } } };
}

function renderErrorPage(context: { type: string; body: string }, { error }: { error: string }): void {
  context.type = 'html';
  context.body = `<!doctype html><title>Error</title><p>${error.replace(/[^\w ]/g, '')}</p>`;
}

/** On import and start it warns about production settings and recommends a later Node version. */
async function withoutNotices<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  const { info, warn } = console;
  Object.assign(console, { info: () => undefined, warn: () => undefined });
  try {
    return await work();
  } finally {
    Object.assign(console, { info, warn });
  }
}
