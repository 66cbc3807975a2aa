import type { Secret } from '../../crypto/secret.ts';
import type { Store } from '../../data/store.ts';
import { unauthenticated } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { NOBODY, type Role, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { generateOpaqueToken, hashToken } from './token-format.ts';

/** A session ends this long after it began, whatever happens. */
export const SESSION_LIFETIME_MS = 7 * 24 * 60 * 60 * 1_000;
/** A session ends when it was not used for this long. */
export const SESSION_IDLE_MS = 24 * 60 * 60 * 1_000;
/** The last use is written at most this often. */
const SESSION_TOUCH_MS = 5 * 60 * 1_000;
/** A sign-in link is good for this long. */
export const SIGN_IN_LINK_LIFETIME_MS = 60 * 60 * 1_000;

/** A session that was just opened. */
export interface OpenedSession {
  /** The cookie's value. */
  token: Secret;
  expiresAt: Date;
}

/** What can be done with browser sessions. */
export type SessionService = ReturnType<typeof createSessionService>;

/** What the service works with. */
export interface SessionServiceOptions {
  store: Store;
  now: () => Date;
  /** Of the operator's token, see `toBootstrapDigest`: sessions that it opened end when it changes. */
  bootstrapDigest: string;
}

/** Somebody. */
type SignedIn = Extract<Viewer, { kind: 'user' }>;

/** The credential that a session was opened with, and ends with. */
interface Origin {
  apiTokenId: string | null;
  bootstrapDigest: string | null;
}

/** Cookies and sign-in links are 256 bits in base64url; anything else is not worth a look into the database. */
const OPAQUE_TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Browser sessions: a random cookie, a row, an idle and an absolute end. */
export function createSessionService({ store, now, bootstrapDigest }: SessionServiceOptions) {
  const open = async (actor: SignedIn, origin: Origin, notAfter: Date | null): Promise<OpenedSession> => {
    const { userId } = actor;
    const at = now().getTime();
    const end = Math.min(at + SESSION_LIFETIME_MS, notAfter?.getTime() ?? Number.POSITIVE_INFINITY);
    const token = generateOpaqueToken();
    const expiresAt = new Date(end);
    const createdAt = new Date(at);
    await store.sessions.sweep(SYSTEM, { now: createdAt, idleBefore: new Date(at - SESSION_IDLE_MS) });
    const tokenHash = hashToken(token.expose());
    await store.transaction(async (tx) => {
      await tx.sessions.create(SYSTEM, { tokenHash, userId, ...origin, createdAt, expiresAt });
      const target = { type: 'user', id: userId } as const;
      await tx.audit.append(SYSTEM, { actor, action: 'session.create', target });
    });
    return { token, expiresAt };
  };

  return {
    /**
     * Opens a session for a caller who showed a bearer token. It ends no later than the token.
     *
     * @throws UNAUTHENTICATED for nobody, and for callers who have only a session: one cannot prolong itself
     */
    async openForViewer(viewer: Viewer): Promise<OpenedSession> {
      assertCan(viewer, 'viewer.read');
      if (viewer.kind !== 'user' || viewer.credential.kind === 'session') {
        throw unauthenticated('Send a bearer token to open a session.');
      }
      const { credential } = viewer;
      const origin: Origin = {
        apiTokenId: credential.kind === 'apiToken' ? credential.apiTokenId : null,
        bootstrapDigest: credential.kind === 'bootstrap' ? bootstrapDigest : null,
      };
      return open(viewer, origin, credential.kind === 'bootstrap' ? null : credential.expiresAt);
    },

    /** Makes a link's token that opens one session of this user, once, within an hour. */
    async createSignInLink(userId: string): Promise<Secret> {
      const token = generateOpaqueToken();
      const expiresAt = new Date(now().getTime() + SIGN_IN_LINK_LIFETIME_MS);
      await store.sessions.createSignInLink(SYSTEM, { tokenHash: hashToken(token.expose()), userId, expiresAt });
      return token;
    },

    /** Takes a sign-in link. @throws UNAUTHENTICATED when it was used, is too old or never was */
    async openByLink(linkToken: string): Promise<OpenedSession> {
      const link = OPAQUE_TOKEN.test(linkToken)
        ? await store.sessions.takeSignInLink(SYSTEM, { tokenHash: hashToken(linkToken) })
        : null;
      const user = link === null ? null : await store.sessions.findUser(SYSTEM, { id: link.userId });
      if (link === null || link.expiresAt <= now() || user?.status !== 'active') {
        throw unauthenticated(
          'This sign-in link was used already or is too old. Start the gateway again for a new one.',
        );
      }
      const { userId } = link;
      const actor: SignedIn = { kind: 'user', userId, role: user.role as Role, credential: { kind: 'bootstrap' } };
      return open(actor, { apiTokenId: null, bootstrapDigest }, null);
    },

    /** Who holds this cookie; nobody when the session, its user or the token that opened it is not good any more. */
    async verify(cookie: string): Promise<Viewer> {
      if (!OPAQUE_TOKEN.test(cookie)) return NOBODY;
      const found = await store.sessions.findByHash(SYSTEM, { tokenHash: hashToken(cookie) });
      const at = now();
      if (found === null || found.user.status !== 'active') return NOBODY;
      const { session, apiToken } = found;
      if (found.bootstrapDigest !== null && found.bootstrapDigest !== bootstrapDigest) return NOBODY;
      const idleEnd = new Date(session.lastSeenAt.getTime() + SESSION_IDLE_MS);
      if (session.expiresAt <= at || idleEnd <= at) return NOBODY;
      if (apiToken !== null && (apiToken.revokedAt !== null || (apiToken.expiresAt ?? session.expiresAt) <= at)) {
        return NOBODY;
      }
      const staleBefore = new Date(at.getTime() - SESSION_TOUCH_MS);
      if (session.lastSeenAt < staleBefore) {
        await store.sessions.touch(SYSTEM, { id: session.id, now: at, staleBefore });
      }
      const credential = { kind: 'session', sessionId: session.id, expiresAt: session.expiresAt } as const;
      return { kind: 'user', userId: session.userId, role: found.user.role as Role, credential };
    },

    /** Ends the caller's own session, if it is one he came with. */
    async end(viewer: Viewer): Promise<void> {
      if (viewer.kind !== 'user' || viewer.credential.kind !== 'session') return;
      const { credential, userId } = viewer;
      await store.transaction(async (tx) => {
        await tx.sessions.end(viewer, { id: credential.sessionId, userId });
        const target = { type: 'user', id: userId } as const;
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'session.end', target });
      });
    },
  };
}
