import type { Store } from '../../data/store.ts';
import { DomainError, validationFailed } from '../../errors.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { GuessLimit } from '../credentials/guess-limit.ts';
import { CLOCK_TOLERANCE_SECONDS } from '../credentials/oidc.ts';
import { OidcIssuerError } from '../credentials/oidc-fetch.ts';
import { hashToken } from '../credentials/token-format.ts';
import { IssuerTokenError, type IssuerTokens } from './issuer-tokens.ts';
import type { RecentLogouts } from './recent-logouts.ts';

/** A logout token is refused when it is older, so it need not be remembered for longer. */
const REMEMBER_MS = CREDENTIAL_LIMITS.oidcLogoutAge.value + 2 * CLOCK_TOLERANCE_SECONDS * 1_000;

/** What logout tokens are handled with. */
export interface BackchannelLogoutOptions {
  issuer: string;
  tokens: IssuerTokens;
  logouts: RecentLogouts;
  store: Store;
  guesses: GuessLimit;
  now: () => Date;
  onError: (error: unknown) => void;
}

/** Ends sessions when the provider says so (OpenID Connect Back-Channel Logout 1.0). */
export function createBackchannelLogout(options: BackchannelLogoutOptions) {
  const { issuer, tokens, logouts, store, guesses, now, onError } = options;

  const verify = async (token: string) => {
    try {
      return await tokens.verifyLogoutToken(token);
    } catch (error) {
      if (error instanceof IssuerTokenError) throw refused();
      throw error;
    }
  };

  return {
    /**
     * Ends the sessions that the token names, and the streams that use them, and lets sign-ins of theirs that are under way
     * open none. A token counts once: who sees one must not be
     * able to end later sessions with it.
     *
     * @throws VALIDATION_FAILED, UPSTREAM_FAILED when the provider's keys are not available, RATE_LIMITED after too many
     *   wrong tokens of one network
     */
    async acceptLogout(token: string): Promise<void> {
      try {
        const isGood = () => true;
        const { jti, ...whose } = await guesses.attempt(token, () => verify(token), isGood);
        const digest = hashToken(`logout ${issuer} ${jti}`);
        await store.transaction(async (tx) => {
          const at = now();
          const use = { digest, expiresAt: new Date(at.getTime() + REMEMBER_MS), now: at };
          if (!(await tx.sessions.useOnce(SYSTEM, use))) throw refused();
          // Before the sessions end: none can be opened in between.
          await logouts.remember(tx, whose);
          const { subject, sessionId } = whose;
          const userIds = await tx.sessions.endOidc(SYSTEM, { issuer, sessionId, subject });
          for (const id of userIds) {
            const target = { type: 'user', id } as const;
            const reason = 'The OpenID Connect provider signed the user out.';
            await tx.audit.append(SYSTEM, { actor: SYSTEM, action: 'session.end', target, reason });
          }
        });
      } catch (error) {
        if (!(error instanceof OidcIssuerError)) throw error;
        onError(error);
        throw new DomainError(
          'UPSTREAM_FAILED',
          'The keys of the provider are not available. Send the token again later.',
        );
      }
    },
  };
}

function refused(): DomainError {
  const message = 'This is not a valid logout token for this gateway, or it was already used.';
  return validationFailed([{ path: ['logout_token'], code: 'LOGOUT_TOKEN_INVALID', message }]);
}
