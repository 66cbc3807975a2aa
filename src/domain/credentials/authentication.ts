import type { Store } from '../../data/store.ts';
import { REQUEST_LIMITS } from '../../limits/request-limits.ts';
import { NOBODY, type Role, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import type { GuessLimit } from './guess-limit.ts';
import type { OidcVerifier } from './oidc.ts';
import { hasApiTokenPrefix, hashToken, isWellFormedApiToken } from './token-format.ts';

/** A token's last use is recorded at most this often. */
const API_TOKEN_TOUCH_MS = 60 * 60 * 1_000;

/** Longer bearer tokens are refused without reading them. */
const MAX_BEARER_LENGTH = REQUEST_LIMITS.bearer.value;

/** The verifiers for each kind of bearer token. */
export interface AuthenticationOptions {
  store: Store;
  now: () => Date;
  verifyBootstrap: (token: string) => Promise<Viewer>;
  /** Verifies a JWT of the configured issuer. Absent when none is configured. */
  verifyOidc?: OidcVerifier | undefined;
  guesses: GuessLimit;
}

/** Identifies the holder of a bearer token. */
export type Authentication = ReturnType<typeof createAuthentication>;

/** Resolves a bearer token to its viewer. An invalid token gives the anonymous viewer. */
export function createAuthentication({ store, now, verifyBootstrap, verifyOidc, guesses }: AuthenticationOptions) {
  const verifyApiToken = async (token: string): Promise<Viewer> => {
    const found = await store.apiTokens.findByHash(SYSTEM, { tokenHash: hashToken(token) });
    const at = now();
    if (found === null || found.user.status !== 'active') return NOBODY;
    const { id, userId, scopes, mcpServerIds, revokedAt, expiresAt, lastUsedAt } = found.token;
    if (revokedAt !== null || (expiresAt !== null && expiresAt <= at)) return NOBODY;
    const staleBefore = new Date(at.getTime() - API_TOKEN_TOUCH_MS);
    if (lastUsedAt === null || lastUsedAt < staleBefore) {
      await store.apiTokens.recordUse(SYSTEM, { id, now: at, staleBefore });
    }
    const grant = { scopes, mcpServerIds, expiresAt };
    const credential = { kind: 'apiToken', apiTokenId: id, expiresAt, grant } as const;
    return { kind: 'user', userId, role: found.user.role as Role, credential };
  };

  const verify = async (token: string, audiences: readonly string[] | undefined): Promise<Viewer> => {
    const bootstrap = await verifyBootstrap(token);
    if (bootstrap.kind !== 'nobody') return bootstrap;
    if (hasApiTokenPrefix(token)) return isWellFormedApiToken(token) ? verifyApiToken(token) : NOBODY;
    // A JWT in compact form has three parts (RFC 7519, section 3).
    if (verifyOidc !== undefined && token.split('.').length === 3) return verifyOidc(token, audiences);
    return NOBODY;
  };

  return {
    /**
     * @param audiences for whom a JWT must be issued, where that is not the gateway as a whole
     * @throws RATE_LIMITED after too many wrong tokens from the same network
     */
    async verifyBearer(token: string, audiences?: readonly string[]): Promise<Viewer> {
      if (token === '' || token.length > MAX_BEARER_LENGTH) return NOBODY;
      return guesses.attempt(
        token,
        () => verify(token, audiences),
        ({ kind }) => kind !== 'nobody',
      );
    },
  };
}
