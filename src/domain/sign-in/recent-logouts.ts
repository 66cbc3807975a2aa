import type { Repositories } from '../../data/store.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { CLOCK_TOLERANCE_SECONDS } from '../credentials/oidc.ts';
import { hashToken } from '../credentials/token-format.ts';

/** No sign-in that began before comes back later. Replicas' clocks may differ a little. */
const REMEMBER_MS = CREDENTIAL_LIMITS.oidcSignInAge.value + 2 * CLOCK_TOLERANCE_SECONDS * 1_000;

/** Whom a logout token names, and when it was made by the provider's clock. At least one of both names is there. */
export interface Logout {
  subject: string | undefined;
  sessionId: string | undefined;
  issuedAt: Date;
}

/** A sign-in that the provider vouched for. */
export interface FinishedSignIn {
  subject: string;
  /** The provider's name of its session (`sid`), if it gave one. */
  sessionId: string | undefined;
  /** When it began, by our clock, and when its ID token was made, by the provider's. */
  startedAt: Date;
  issuedAt: Date;
}

/** Knows whom the provider signed out a moment ago. */
export type RecentLogouts = ReturnType<typeof createRecentLogouts>;

/**
 * A logout can arrive while a sign-in of the same person is under way: the provider has vouched for them, but there is no
 * session yet that could end. So logouts are remembered for as long as such a sign-in could come back. Only the provider can
 * make them, so nobody else can fill the table.
 */
export function createRecentLogouts({ issuer, now }: { issuer: string; now: () => Date }) {
  const toDigest = (kind: string, name: string): string => hashToken(`${kind} ${issuer} ${name}`);
  const ofSession = (sessionId: string) => toDigest('logout of a session', sessionId);
  /** A session of the user that the logout names but the ID token does not. */
  const ofUnnamed = (subject: string) => toDigest('logout of some session', subject);
  const ofUser = (subject: string) => toDigest('logout of a user', subject);

  return {
    /** Remembers a logout, and waits for sign-ins that are being written: they have ended or become sessions. */
    async remember(tx: Repositories, { subject, sessionId, issuedAt }: Logout): Promise<void> {
      await tx.sessions.lockSignIns(SYSTEM, { issuer, isLogout: true });
      const digests: string[] = [];
      if (sessionId !== undefined) digests.push(ofSession(sessionId));
      if (subject !== undefined) digests.push(sessionId === undefined ? ofUser(subject) : ofUnnamed(subject));
      const receivedAt = now();
      const expiresAt = new Date(receivedAt.getTime() + REMEMBER_MS);
      await tx.sessions.rememberLogout(SYSTEM, { digests, issuedAt, receivedAt, expiresAt });
    },

    /**
     * Whether the provider ended what a sign-in comes from: its session, which it names, or all sessions of its user, after
     * the sign-in began. Logouts that arrive from now on wait for the transaction.
     */
    async isOver(tx: Repositories, { subject, sessionId, startedAt, issuedAt }: FinishedSignIn): Promise<boolean> {
      await tx.sessions.lockSignIns(SYSTEM, { issuer, isLogout: false });
      const own = sessionId === undefined ? undefined : ofSession(sessionId);
      const digests = [own ?? ofUnnamed(subject), ofUser(subject)];
      const logouts = await tx.sessions.findLogouts(SYSTEM, { digests, now: now() });
      // A session of the provider ends once and for all. A user may sign in again at once.
      return logouts.some(
        (logout) => logout.digest === own || logout.receivedAt > startedAt || logout.issuedAt > issuedAt,
      );
    },
  };
}
