import { randomBytes } from 'node:crypto';
import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  customFetch,
  processAuthorizationCodeResponse,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
  revocationRequest,
  type TokenEndpointResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import type { Caches } from '../../cache/caches.ts';
import { Secret } from '../../crypto/secret.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import { createMethodChoice } from './client-methods.ts';
import type { OAuthProvider } from './oauth-provider.ts';
import { assertRevocationAnswer, assertTokenAnswer } from './token-answer.ts';
import { TokenEndpointError } from './token-endpoint-error.ts';
import { readJwtLifetime } from './token-fields.ts';

/** The tokens from a token endpoint. */
export interface TokenSet {
  accessToken: Secret;
  refreshToken: Secret | null;
  /** Null when the server granted the requested scopes (RFC 6749, section 5.1). */
  scopes: string[] | null;
  expiresInSeconds: number | null;
}

const STATE = 'checked-before';

/** Calls token and revocation endpoints. */
export type TokenEndpoints = ReturnType<typeof createTokenEndpoints>;

/** Creates the client over the safe fetch. Every function throws only `TokenEndpointError`. */
export function createTokenEndpoints(args: { fetch: SafeFetch; caches: Caches; now: () => Date }) {
  const { fetch, caches, now } = args;
  const options = toOptions(fetch, assertTokenAnswer);
  const withEachMethod = createMethodChoice(caches);
  const revocationOptions = toOptions(fetch, assertRevocationAnswer);
  const toTokenSet = (answer: TokenEndpointResponse): TokenSet => {
    const { access_token: accessToken, refresh_token: refreshToken, scope, expires_in: expiresIn } = answer;
    return {
      accessToken: new Secret(accessToken),
      refreshToken: refreshToken === undefined ? null : new Secret(refreshToken),
      scopes: scope?.split(' ') ?? null,
      expiresInSeconds: expiresIn ?? readJwtLifetime(accessToken, now()),
    };
  };

  /** Exchanges a refresh token (RFC 6749, section 6). */
  const refresh = async (provider: OAuthProvider, refreshToken: Secret): Promise<TokenSet> =>
    withEachMethod(provider, [refreshToken.expose()], async ({ server, client, auth }) => {
      const response = await refreshTokenGrantRequest(server, client, auth, refreshToken.expose(), {
        ...options,
        additionalParameters: toParameters(provider),
      });
      return toTokenSet(await processRefreshTokenResponse(server, client, response));
    });

  return {
    refresh,

    /** Exchanges an authorization code (RFC 6749, section 4.1.3; RFC 7636; RFC 8707). */
    async exchangeCode(
      provider: OAuthProvider,
      grant: { code: string; redirectUri: string; codeVerifier: Secret },
    ): Promise<TokenSet> {
      return withEachMethod(provider, [grant.code, grant.codeVerifier.expose()], async ({ server, client, auth }) => {
        // State and issuer were verified before, so the library gets only the remaining parameters.
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

    /**
     * Asks whether the server accepts the gateway's client, with a refresh token that nobody has: servers authenticate
     * the client before they look at the token.
     */
    async testClient(provider: OAuthProvider): Promise<'accepted' | 'refused' | 'unknown'> {
      try {
        await refresh(provider, new Secret(randomBytes(32).toString('base64url')));
        return 'accepted';
      } catch (error) {
        const failure = error instanceof TokenEndpointError ? error.failure : 'malformed';
        if (failure === 'invalid_client') return 'refused';
        return failure === 'invalid_grant' || failure === 'refused' ? 'accepted' : 'unknown';
      }
    },

    /** Revokes a token (RFC 7009). Resolves when the server confirms it, or does not know the token. */
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

function toOptions(fetch: SafeFetch, assertAnswer: (response: Response) => Promise<Response>) {
  return {
    // `safeFetch` enforces this: http only to hosts that the operator allowed.
    [allowInsecureRequests]: true,
    [customFetch]: async (url: string, init: { body?: unknown; headers?: Record<string, string> }) =>
      assertAnswer(await fetch(url, { method: 'POST', headers: init.headers ?? {}, body: String(init.body ?? '') })),
  };
}

function toParameters({ resource }: OAuthProvider): Record<string, string> {
  return resource === null ? {} : { resource };
}
