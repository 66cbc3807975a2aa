import type { SealedValue } from '../../data/sealing/sealed-value.ts';
import { DomainError } from '../../errors.ts';
import { type OAuthProvider, toIssuingProvider } from '../oauth/oauth-provider.ts';
import type { TokenEndpoints, TokenSet } from '../oauth/token-endpoint.ts';
import { TokenEndpointError } from '../oauth/token-endpoint-error.ts';

/** What happened to a user's tokens at the authorization server after the gateway removed them. */
export interface RevocationOutcome {
  tokenRevoked: boolean;
  /** Why they were not revoked, in the gateway's own words. Null when they were revoked or there were none. */
  revocationError: string | null;
}

/** A token that opens for the URL that it is sent to. */
type RevocableToken = Pick<SealedValue, 'openFor'>;

/** The tokens of one connection. Stored tokens are opened on demand. */
export interface RevocableTokens {
  accessToken: RevocableToken;
  refreshToken: RevocableToken | null;
  /** The gateway's client that they were issued to. Empty when unknown. */
  clientId: string;
}

/** Wraps tokens that were never stored. @param clientId the client that obtained them */
export function toRevocable({ accessToken, refreshToken }: TokenSet, clientId: string): RevocableTokens {
  return {
    clientId,
    accessToken: { openFor: () => accessToken },
    refreshToken: refreshToken === null ? null : { openFor: () => refreshToken },
  };
}

/** The outcome when there was nothing to revoke. */
export const NOTHING_TO_REVOKE: RevocationOutcome = { tokenRevoked: false, revocationError: null };

const NO_ENDPOINT = 'The authorization server does not support revocation: the token stays valid until it expires.';
const NOT_SUPPORTED =
  'The authorization server does not revoke tokens of this kind: the token stays valid until it expires.';
const NOT_OPENED = 'A stored secret cannot be decrypted, so the token was not revoked.';
const NOT_CONFIRMED =
  'The authorization server did not confirm the revocation: the token may stay valid until it expires.';

/** The number of concurrent revocations. It protects the authorization server of a config with many users. */
const CONCURRENCY = 4;

/** Revokes tokens at authorization servers (RFC 7009). */
export type TokenRevocation = ReturnType<typeof createTokenRevocation>;

/** Creates the revocation service. `settle` waits for background work. */
export function createTokenRevocation({ endpoints }: { endpoints: Pick<TokenEndpoints, 'revoke'> }) {
  const running = new Set<Promise<void>>();

  /** @returns why the token was not revoked, or null */
  const tell = async (
    provider: OAuthProvider,
    clientId: string,
    token: RevocableToken,
    hint: 'refresh_token' | 'access_token',
  ): Promise<string | null> => {
    try {
      await endpoints.revoke(toIssuingProvider(provider, clientId), token.openFor(provider.revocationUrl), hint);
      return null;
    } catch (error) {
      if (error instanceof TokenEndpointError) {
        return error.code === 'unsupported_token_type' ? NOT_SUPPORTED : NOT_CONFIRMED;
      }
      if (error instanceof DomainError && error.code === 'DECRYPTION_FAILED') return NOT_OPENED;
      throw error;
    }
  };

  const revoke = async (provider: OAuthProvider, tokens: RevocableTokens): Promise<RevocationOutcome> => {
    if (provider.revocationUrl === '') return { tokenRevoked: false, revocationError: NO_ENDPOINT };
    const { clientId, refreshToken, accessToken } = tokens;
    // The refresh token first: it could issue new access tokens, and many servers revoke those with it.
    const refresh = refreshToken === null ? null : await tell(provider, clientId, refreshToken, 'refresh_token');
    const access = await tell(provider, clientId, accessToken, 'access_token');
    // RFC 7009, section 2.2.1: a server need not be able to revoke access tokens by themselves. When their refresh token
    // is revoked, their grant has ended. The opposite is no success: a refresh token that stays issues new tokens.
    const isGrantEnded = refreshToken !== null && refresh === null && access === NOT_SUPPORTED;
    const revocationError = refresh ?? (isGrantEnded ? null : access);
    return { tokenRevoked: revocationError === null, revocationError };
  };

  return {
    revoke,

    /** Revokes in the background, best effort. The outcome is not reported. */
    revokeLater(provider: OAuthProvider, tokens: readonly RevocableTokens[]): void {
      const waiting = [...tokens];
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          await revoke(provider, next).catch(() => undefined);
        }
      };
      const workers = Array.from({ length: Math.min(CONCURRENCY, tokens.length) }, work);
      const all = Promise.all(workers).then(() => void running.delete(all));
      running.add(all);
    },

    /** Resolves when all background revocations have finished. Each request has a timeout. */
    async settle(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
