import DataLoader from 'dataloader';
import type { Store } from '../../data/store.ts';
import { type Credential, NOBODY, type Role, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { SESSION_IDLE_MS } from './session-service.ts';

/**
 * Returns the viewer's current state: with the current role, or anonymous when the user or credential is no longer
 * valid.
 */
export type RenewViewer = (viewer: Viewer) => Promise<Viewer>;

/**
 * How long a known viewer is used without a lookup. It bounds what no notification reports, such as an idle session's
 * end.
 */
const MAX_UNSEEN_MS = 3_000;

/** Reports whether any role, status or credential may have changed. */
interface Changes {
  fresh(): Promise<void> | undefined;
  callerVersion(): bigint;
  resets(): number;
}

/** Returns the current state of one viewer. Synchronous while nothing can have changed. */
export type FollowedViewer = () => Viewer | Promise<Viewer>;

/** Follows viewers: makes the function that returns the current state of one. */
export type ViewerFollowing = (viewer: Viewer) => FollowedViewer;

/** A lookup of a viewer. */
interface Look {
  startedAt: number;
  renewed: Promise<Viewer>;
  /** What was found, once it was. */
  found?: Viewer;
}

/**
 * Creates the following of viewers. A viewer is looked up only after a relevant change, or after some time. Streams with the
 * same credential share their lookups: a thousand of them ask the database once.
 */
export function createViewerFollowing({
  renewViewer,
  changes,
  now,
}: {
  renewViewer: RenewViewer;
  changes: Changes;
  now: () => Date;
}): ViewerFollowing {
  /** The lookups of the last seconds, since the last change. */
  let looks = new Map<string, Look>();
  let looksStamp: string | undefined;
  let looksSince = Number.NEGATIVE_INFINITY;

  const lookUp = (viewer: Viewer, stamp: string): Look => {
    const at = performance.now();
    if (looksStamp !== stamp || at - looksSince >= MAX_UNSEEN_MS) {
      looks = new Map();
      looksStamp = stamp;
      looksSince = at;
    }
    const key = toCredentialKey(viewer);
    const begun = looks.get(key);
    if (begun !== undefined) return begun;
    const look: Look = { startedAt: at, renewed: renewViewer(viewer) };
    const mine = looks;
    mine.set(key, look);
    look.renewed.then(
      (found) => {
        look.found = found;
      },
      () => mine.delete(key),
    );
    return look;
  };

  return (viewer) => {
    let known = viewer;
    let resets = -1;
    let callerVersion = -1n;
    let lookedAt = Number.NEGATIVE_INFINITY;

    const look = (): Viewer | Promise<Viewer> => {
      const isRecent = performance.now() - lookedAt < MAX_UNSEEN_MS;
      const isCurrent = callerVersion === changes.callerVersion() && resets === changes.resets();
      return isCurrent && isRecent && !isPast(known, now()) ? known : lookAgain();
    };

    const lookAgain = (): Viewer | Promise<Viewer> => {
      const current = { resets: changes.resets(), callerVersion: changes.callerVersion() };
      // A credential ends by itself, at a time that is its own.
      const begun: Look = isPast(known, now())
        ? { startedAt: performance.now(), renewed: renewViewer(known) }
        : lookUp(known, `${current.resets} ${current.callerVersion}`);
      const learn = (found: Viewer): Viewer => {
        lookedAt = begun.startedAt;
        ({ resets, callerVersion } = current);
        const isSame = found.kind === 'user' && known.kind === 'user' && found.role === known.role;
        if (!isSame) known = found.kind === 'user' && known.kind === 'user' ? { ...known, role: found.role } : NOBODY;
        return known;
      };
      return begun.found === undefined ? begun.renewed.then(learn) : learn(begun.found);
    };

    return () => {
      const waiting = changes.fresh();
      return waiting === undefined ? look() : waiting.then(look);
    };
  };
}

/** Identifies a user with one credential. */
function toCredentialKey(viewer: Viewer): string {
  if (viewer.kind !== 'user') return viewer.kind;
  const { userId, credential } = viewer;
  return `${userId} ${credential.kind} ${idOf(credential)}`;
}

function idOf(credential: Credential): string {
  if (credential.kind === 'apiToken') return credential.apiTokenId;
  if (credential.kind === 'session') return credential.sessionId;
  return credential.kind === 'oidc' ? credential.expiresAt.toISOString() : '';
}

/** Whether a viewer's credential has expired. */
export function isPast(viewer: Viewer, at: Date): boolean {
  if (viewer.kind !== 'user' || viewer.credential.kind === 'bootstrap') return false;
  const { expiresAt } = viewer.credential;
  return expiresAt !== null && expiresAt <= at;
}

/**
 * Looks viewers up again, for streams that outlive a request. Concurrent lookups are batched, so the number of
 * statements does not depend on the number of streams.
 */
export function createViewerRenewal({ store, now }: { store: Store; now: () => Date }): RenewViewer {
  const loader = new DataLoader<Viewer, Viewer>(
    async (viewers) => {
      const at = now();
      const users = viewers.filter((viewer) => viewer.kind === 'user');
      const tokenIds = users.flatMap(({ credential }) =>
        credential.kind === 'apiToken' ? [credential.apiTokenId] : [],
      );
      const sessionIds = users.flatMap(({ credential }) =>
        credential.kind === 'session' ? [credential.sessionId] : [],
      );
      const found = await store.principals.findUsers(SYSTEM, { ids: unique(users.map(({ userId }) => userId)) });
      const tokens =
        tokenIds.length === 0
          ? new Set<string>()
          : await store.principals.findGoodTokens(SYSTEM, { ids: unique(tokenIds), at });
      const idleBefore = new Date(at.getTime() - SESSION_IDLE_MS);
      const sessions =
        sessionIds.length === 0
          ? new Set<string>()
          : await store.principals.findGoodSessions(SYSTEM, { ids: unique(sessionIds), at, idleBefore });
      return viewers.map((viewer): Viewer => {
        if (viewer.kind !== 'user') return NOBODY;
        const user = found.get(viewer.userId);
        if (user?.status !== 'active') return NOBODY;
        const { credential } = viewer;
        const isGood =
          credential.kind === 'bootstrap' ||
          (credential.kind === 'apiToken' && tokens.has(credential.apiTokenId)) ||
          (credential.kind === 'session' && sessions.has(credential.sessionId)) ||
          (credential.kind === 'oidc' && credential.expiresAt > at);
        return isGood ? { ...viewer, role: user.role as Role } : NOBODY;
      });
    },
    // Streams woken by the same change ask within a turn or two of the event loop.
    { cache: false, batchScheduleFn: (run) => void setTimeout(run, 2) },
  );
  return (viewer) => loader.load(viewer);
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}
