import {
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type ClientAuth,
  customFetch,
  processAuthorizationCodeResponse,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
  revocationRequest,
  type TokenEndpointResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import { Secret } from '../../crypto/secret.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import { toClientAuth } from './client-authentication.ts';
import type { OAuthProvider } from './oauth-provider.ts';
import { assertTokenAnswer, toTokenEndpointError } from './token-answer.ts';
import { TokenEndpointError } from './token-endpoint-error.ts';

/** What a token endpoint gives. */
export interface TokenSet {
  accessToken: Secret;
  refreshToken: Secret | null;
  /** Null when the server gave what was asked for (RFC 6749, section 5.1). */
  scopes: string[] | null;
  expiresInSeconds: number | null;
}

/** Ten years; beyond that a server means "never". */
const MAX_EXPIRES_IN_SECONDS = 315_360_000;
const STATE = 'checked-before';

/** The gateway's calls of token and revocation endpoints. */
export type TokenEndpoints = ReturnType<typeof createTokenEndpoints>;

/** Makes them over the one way out. Every function throws `TokenEndpointError` and nothing else. */
export function createTokenEndpoints(safeFetch: SafeFetch) {
  const options = toOptions(safeFetch);
  const revocationOptions = toOptions(async (url, request) => {
    const response = await safeFetch(url, request);
    // It says 200, and some say 204; whatever the body is, it has nothing to say.
    return response.ok ? Response.json({}) : response;
  });

  return {
    /** Trades an authorization code (RFC 6749, section 4.1.3; RFC 7636; RFC 8707). */
    async exchangeCode(
      provider: OAuthProvider,
      grant: { code: string; redirectUri: string; codeVerifier: Secret },
    ): Promise<TokenSet> {
      return withEachMethod(provider, [grant.code, grant.codeVerifier.expose()], async ({ server, client, auth }) => {
        // State and issuer were compared before: the library is handed what is left to trust.
        const parameters = validateAuthResponse(
          { issuer: server.issuer },
          client,
          new URLSearchParams({ code: grant.code, state: STATE }),
          STATE,
        );
        const response = await authorizationCodeGrantRequest(
          server,
          client,
          auth,
          parameters,
          grant.redirectUri,
          grant.codeVerifier.expose(),
          { ...options, additionalParameters: toParameters(provider) },
        );
        return toTokenSet(await processAuthorizationCodeResponse(server, client, response));
      });
    },

    /** Trades a refresh token (RFC 6749, section 6). */
    async refresh(provider: OAuthProvider, refreshToken: Secret): Promise<TokenSet> {
      return withEachMethod(provider, [refreshToken.expose()], async ({ server, client, auth }) => {
        const response = await refreshTokenGrantRequest(server, client, auth, refreshToken.expose(), {
          ...options,
          additionalParameters: toParameters(provider),
        });
        return toTokenSet(await processRefreshTokenResponse(server, client, response));
      });
    },

    /** Revokes a token (RFC 7009). Resolves when the server says that it is done, or never knew it. */
    async revoke(provider: OAuthProvider, token: Secret, hint: 'refresh_token' | 'access_token'): Promise<void> {
      await withEachMethod(provider, [token.expose()], async ({ server, client, auth }) => {
        await revocationRequest(server, client, auth, token.expose(), {
          ...revocationOptions,
          additionalParameters: { token_type_hint: hint },
        });
      });
    },
  };
}

interface CallContext {
  server: AuthorizationServer;
  client: { client_id: string };
  auth: ClientAuth;
}

/**
 * Runs one call, and again with the next way to authenticate when the server does not know the client by the first.
 *
 * @param sent what no error may repeat
 */
async function withEachMethod<Result>(
  provider: OAuthProvider,
  sent: readonly string[],
  run: (context: CallContext) => Promise<Result>,
): Promise<Result> {
  const { client } = provider;
  const secrets = client.secret === null ? sent : [...sent, client.secret.expose()];
  const server = {
    issuer: provider.issuer || 'urn:unknown',
    token_endpoint: provider.tokenUrl,
    ...(provider.revocationUrl !== '' && { revocation_endpoint: provider.revocationUrl }),
  };
  let failure = new TokenEndpointError('invalid_client', 'There is no way to authenticate at the token endpoint.');
  for (const method of client.authMethods) {
    try {
      return await run({ server, client: { client_id: client.clientId }, auth: toClientAuth(client, method) });
    } catch (error) {
      failure = toTokenEndpointError(error).without(secrets);
      // A code or refresh token is not looked at before the client is known, so it is still good for a second try.
      if (failure.failure !== 'invalid_client') throw failure;
    }
  }
  throw failure;
}

function toOptions(fetch: SafeFetch) {
  return {
    // `safeFetch` decides: http only to hosts that the operator opened.
    [allowInsecureRequests]: true,
    [customFetch]: async (url: string, init: { body?: unknown; headers?: Record<string, string> }) =>
      assertTokenAnswer(
        await fetch(url, { method: 'POST', headers: init.headers ?? {}, body: String(init.body ?? '') }),
      ),
  };
}

function toParameters({ resource }: OAuthProvider): Record<string, string> {
  return resource === null ? {} : { resource };
}

function toTokenSet(answer: TokenEndpointResponse): TokenSet {
  const { access_token: accessToken, refresh_token: refreshToken, scope, expires_in: expiresIn } = answer;
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === undefined ? null : new Secret(refreshToken),
    scopes: scope === undefined ? null : [...new Set(scope.split(' ').filter((each) => each !== ''))],
    expiresInSeconds: expiresIn === undefined ? null : Math.min(expiresIn, MAX_EXPIRES_IN_SECONDS),
  };
}
