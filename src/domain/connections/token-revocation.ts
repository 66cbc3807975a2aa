import type { Secret } from '../../crypto/secret.ts';
import { DomainError } from '../../errors.ts';
import type { OAuthProvider } from '../oauth/oauth-provider.ts';
import type { TokenEndpoints, TokenSet } from '../oauth/token-endpoint.ts';
import { TokenEndpointError } from '../oauth/token-endpoint-error.ts';

/** What became of a user's tokens at the authorization server, after the gateway forgot them. */
export interface RevocationOutcome {
  tokenRevoked: boolean;
  /** Why not, in the gateway's own words; null when they were revoked, or there were none. */
  revocationError: string | null;
}

/** Tokens of one connection: stored ones open when they are needed. */
export interface RevocableTokens {
  accessToken: { open(): Secret };
  refreshToken: { open(): Secret } | null;
}

/** Tokens that were never stored. */
export function toRevocable({ accessToken, refreshToken }: TokenSet): RevocableTokens {
  return {
    accessToken: { open: () => accessToken },
    refreshToken: refreshToken === null ? null : { open: () => refreshToken },
  };
}

/** There was nothing to revoke. */
export const NOTHING_TO_REVOKE: RevocationOutcome = { tokenRevoked: false, revocationError: null };

const NO_ENDPOINT = 'The authorization server offers no revocation: the token ends when it expires.';
const NOT_OPENED = 'A stored secret cannot be opened, so the authorization server could not be told.';
const NOT_CONFIRMED = 'The authorization server did not confirm the revocation: the token ends when it expires.';

/** Revocations that run at once, so that a config with many users does not flood its authorization server. */
const CONCURRENCY = 4;

/** Tells authorization servers that tokens are not used any more (RFC 7009). */
export type TokenRevocation = ReturnType<typeof createTokenRevocation>;

/** Makes it. What runs in the background is waited for by `settle`. */
export function createTokenRevocation({ endpoints }: { endpoints: Pick<TokenEndpoints, 'revoke'> }) {
  const running = new Set<Promise<void>>();

  /** @returns why not, or null */
  const tell = async (
    provider: OAuthProvider,
    token: { open(): Secret },
    hint: 'refresh_token' | 'access_token',
  ): Promise<string | null> => {
    try {
      await endpoints.revoke(provider, token.open(), hint);
      return null;
    } catch (error) {
      if (error instanceof TokenEndpointError) return NOT_CONFIRMED;
      if (error instanceof DomainError && error.code === 'DECRYPTION_FAILED') return NOT_OPENED;
      throw error;
    }
  };

  const revoke = async (provider: OAuthProvider, tokens: RevocableTokens): Promise<RevocationOutcome> => {
    if (provider.revocationUrl === '') return { tokenRevoked: false, revocationError: NO_ENDPOINT };
    // The refresh token first: it could make access tokens, and many servers end those along with it.
    const problems = [
      tokens.refreshToken === null ? null : await tell(provider, tokens.refreshToken, 'refresh_token'),
      await tell(provider, tokens.accessToken, 'access_token'),
    ].filter((problem) => problem !== null);
    return { tokenRevoked: problems.length === 0, revocationError: problems[0] ?? null };
  };

  return {
    revoke,

    /** Revokes in the background, whoever's the tokens are. Best effort: nobody learns how it went. */
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

    /** Resolves when all that was begun is done. Each call is bounded in time. */
    async settle(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
