import type { Secret } from '../../crypto/secret.ts';
import type { SessionRecord } from '../../data/records.ts';
import type { Repositories, Store } from '../../data/store.ts';
import { forbidden, notFound, unauthenticated } from '../../errors.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { assertCan } from '../../policy/policy.ts';
import { NOBODY, type Role, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { BOOTSTRAP_ADMIN_ID, type BootstrapDigest } from './bootstrap-admin.ts';
import type { GuessLimit } from './guess-limit.ts';
import { generateOpaqueToken, hashToken } from './token-format.ts';

/** The absolute lifetime of a session. */
export const SESSION_LIFETIME_MS = CREDENTIAL_LIMITS.sessionAge.value;
/** A session ends after this long without use. */
export const SESSION_IDLE_MS = CREDENTIAL_LIMITS.sessionIdle.value;
/** The last use is recorded at most this often. */
const SESSION_TOUCH_MS = 5 * 60 * 1_000;
/** How long a sign-in link is valid. */
export const SIGN_IN_LINK_LIFETIME_MS = CREDENTIAL_LIMITS.signInLinkAge.value;

/** A newly opened session. */
export interface OpenedSession {
  /** The value for the cookie. */
  token: Secret;
  expiresAt: Date;
}

/** Opens, verifies and ends browser sessions. */
export type SessionService = ReturnType<typeof createSessionService>;

/** The dependencies of the session service. */
export interface SessionServiceOptions {
  store: Store;
  now: () => Date;
  /** The digest of the operator's token. Sessions opened with the token end when it changes. */
  bootstrapDigest: BootstrapDigest;
  guesses: GuessLimit;
  /** With more, the session that was not used for longest ends: nobody is locked out by their old sessions. */
  maxPerUser: number;
}

/** An authenticated viewer. */
type SignedIn = Extract<Viewer, { kind: 'user' }>;

/** The credential that opened a session. The session ends with it. */
interface Origin {
  apiTokenId: string | null;
  bootstrapDigest: string | null;
  oidcIssuer: string | null;
  /** The issuer's own name of its session (OpenID Connect Back-Channel Logout 1.0, section 2.1). */
  oidcSessionId: string | null;
}

const NO_ORIGIN: Origin = { apiTokenId: null, bootstrapDigest: null, oidcIssuer: null, oidcSessionId: null };

/** Cookies and sign-in links are 256 bits in base64url. Anything else is refused without a database query. */
const OPAQUE_TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Creates the session service. A session is a random cookie and a row, with an idle timeout and an absolute lifetime.
 */
export function createSessionService(options: SessionServiceOptions) {
  const { store, now, bootstrapDigest, guesses, maxPerUser } = options;

  const open = async (
    actor: SignedIn,
    origin: Origin,
    notAfter: Date | null,
    lifetimeMs: number = SESSION_LIFETIME_MS,
    assertLive: (tx: Repositories) => Promise<void> = async () => undefined,
  ): Promise<OpenedSession> => {
    const { userId } = actor;
    const at = now().getTime();
    const end = Math.min(at + lifetimeMs, notAfter?.getTime() ?? Number.POSITIVE_INFINITY);
    const token = generateOpaqueToken();
    const expiresAt = new Date(end);
    const createdAt = new Date(at);
    await store.sessions.sweep(SYSTEM, { now: createdAt, idleBefore: new Date(at - SESSION_IDLE_MS) });
    const tokenHash = hashToken(token.expose());
    await store.transaction(async (tx) => {
      await assertLive(tx);
      await tx.usage.endOldSessions(SYSTEM, { userId, keep: maxPerUser - 1 });
      await tx.sessions.create(SYSTEM, { tokenHash, userId, ...origin, createdAt, expiresAt });
      const target = { type: 'user', id: userId } as const;
      await tx.audit.append(SYSTEM, { actor, action: 'session.create', target });
    });
    return { token, expiresAt };
  };

  const verify = async (cookie: string): Promise<Viewer> => {
    const found = await store.sessions.findByHash(SYSTEM, { tokenHash: hashToken(cookie) });
    const at = now();
    if (found === null || found.user.status !== 'active') return NOBODY;
    const { session, apiToken } = found;
    if (found.bootstrapDigest !== null && found.bootstrapDigest !== (await bootstrapDigest())) return NOBODY;
    const idleEnd = new Date(session.lastSeenAt.getTime() + SESSION_IDLE_MS);
    if (session.expiresAt <= at || idleEnd <= at) return NOBODY;
    if (apiToken !== null && (apiToken.revokedAt !== null || (apiToken.expiresAt ?? session.expiresAt) <= at)) {
      return NOBODY;
    }
    const staleBefore = new Date(at.getTime() - SESSION_TOUCH_MS);
    if (session.lastSeenAt < staleBefore) {
      await store.sessions.recordUse(SYSTEM, { id: session.id, now: at, staleBefore });
    }
    const grant =
      apiToken === null
        ? null
        : { scopes: apiToken.scopes, mcpServerIds: apiToken.mcpServerIds, expiresAt: apiToken.expiresAt };
    const credential = { kind: 'session', sessionId: session.id, expiresAt: session.expiresAt, grant } as const;
    return { kind: 'user', userId: session.userId, role: found.user.role as Role, credential };
  };

  const takeLink = (linkToken: string) => store.sessions.takeSignInLink(SYSTEM, { tokenHash: hashToken(linkToken) });

  return {
    /**
     * Opens a session for a caller with a bearer token. It ends no later than the token.
     *
     * @throws UNAUTHENTICATED for anonymous callers, and for callers with only a session, because a session cannot
     *   extend itself
     */
    async openForViewer(viewer: Viewer): Promise<OpenedSession> {
      assertCan(viewer, 'viewer.read');
      if (viewer.kind !== 'user' || viewer.credential.kind === 'session') {
        throw unauthenticated('Send a bearer token to open a session.');
      }
      const { credential } = viewer;
      const origin: Origin = {
        ...NO_ORIGIN,
        apiTokenId: credential.kind === 'apiToken' ? credential.apiTokenId : null,
        bootstrapDigest: credential.kind === 'bootstrap' ? await bootstrapDigest() : null,
      };
      return open(viewer, origin, credential.kind === 'bootstrap' ? null : credential.expiresAt);
    },

    /** Creates the token of a link that opens one session for this user, once, within an hour. */
    async createSignInLink(userId: string): Promise<Secret> {
      const token = generateOpaqueToken();
      const expiresAt = new Date(now().getTime() + SIGN_IN_LINK_LIFETIME_MS);
      await store.sessions.createSignInLink(SYSTEM, { tokenHash: hashToken(token.expose()), userId, expiresAt });
      return token;
    },

    /**
     * Redeems a sign-in link.
     *
     * @throws UNAUTHENTICATED when it was already used, has expired or never existed; FORBIDDEN for a suspended user;
     *   RATE_LIMITED after too many wrong
     *   ones from the same network
     */
    async openByLink(linkToken: string): Promise<OpenedSession> {
      const link = OPAQUE_TOKEN.test(linkToken)
        ? await guesses.attempt(
            linkToken,
            () => takeLink(linkToken),
            (taken) => taken !== null,
          )
        : null;
      const user = link === null ? null : await store.sessions.findUser(SYSTEM, { id: link.userId });
      if (link !== null && link.expiresAt > now() && user?.status === 'suspended') {
        throw forbidden('Your user is suspended. Ask an admin of this gateway.');
      }
      if (link === null || link.expiresAt <= now() || user?.status !== 'active') {
        throw unauthenticated(
          'This sign-in link was already used or has expired. Ask an admin for a new one, or restart the gateway to get one as its first admin.',
        );
      }
      const { userId } = link;
      const actor: SignedIn = { kind: 'user', userId, role: user.role as Role, credential: { kind: 'bootstrap' } };
      // Only the first admin's sessions end with the operator's token.
      const digest = userId === BOOTSTRAP_ADMIN_ID ? await bootstrapDigest() : null;
      return open(actor, { ...NO_ORIGIN, bootstrapDigest: digest }, null);
    },

    /**
     * Opens a session for a user who just signed in at the OpenID Connect issuer.
     *
     * @param signIn.sessionId the issuer's `sid`, if it gave one
     * @param signIn.assertLive throws if the issuer has signed the user out meanwhile
     */
    async openBySignIn(
      user: { id: string; role: Role },
      signIn: {
        issuer: string;
        sessionId: string | null;
        lifetimeMs: number;
        assertLive: (tx: Repositories) => Promise<void>;
      },
    ): Promise<OpenedSession> {
      const expiresAt = new Date(now().getTime() + signIn.lifetimeMs);
      const actor: SignedIn = {
        kind: 'user',
        userId: user.id,
        role: user.role,
        credential: { kind: 'oidc', expiresAt },
      };
      const origin = { ...NO_ORIGIN, oidcIssuer: signIn.issuer, oidcSessionId: signIn.sessionId };
      return open(actor, origin, expiresAt, signIn.lifetimeMs, signIn.assertLive);
    },

    /**
     * The viewer of a session cookie. Anonymous when the session, its user or the token that opened it is no longer
     * valid.
     *
     * @throws RATE_LIMITED after too many wrong cookies from the same network
     */
    async verify(cookie: string): Promise<Viewer> {
      if (!OPAQUE_TOKEN.test(cookie)) return NOBODY;
      return guesses.attempt(
        cookie,
        () => verify(cookie),
        ({ kind }) => kind !== 'nobody',
      );
    },

    /** The users' sessions that have not ended, newest first; only their own for those who may see no others. */
    async listByUserIds(viewer: Viewer, userIds: readonly string[]): Promise<SessionRecord[]> {
      const at = now();
      const idleBefore = new Date(at.getTime() - SESSION_IDLE_MS);
      return store.sessions.listByUserIds(viewer, { userIds, now: at, idleBefore });
    },

    /** Ends a session at once, and the streams that use it. @throws FORBIDDEN for another user's, NOT_FOUND */
    async endById(viewer: Viewer, id: string): Promise<void> {
      assertCan(viewer, 'session.end');
      await store.transaction(async (tx) => {
        const ended = await tx.sessions.end(viewer, { id });
        if (ended === null) throw notFound('session');
        const target = { type: 'user', id: ended.userId } as const;
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'session.end', target });
      });
    },

    /** Ends the caller's session, if the request was made with one. */
    async end(viewer: Viewer): Promise<void> {
      if (viewer.kind !== 'user' || viewer.credential.kind !== 'session') return;
      const { credential, userId } = viewer;
      await store.transaction(async (tx) => {
        if ((await tx.sessions.end(viewer, { id: credential.sessionId })) === null) return;
        const target = { type: 'user', id: userId } as const;
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'session.end', target });
      });
    },
  };
}
