import DataLoader from 'dataloader';
import type { Store } from '../../data/store.ts';
import { NOBODY, type Role, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { SESSION_IDLE_MS } from './session-service.ts';

/** Who a viewer is by now: with the role that he has, or nobody when he or his credential is not good any more. */
export type RenewViewer = (viewer: Viewer) => Promise<Viewer>;

/** How long a viewer is taken for who he was without a look: what no change tells, such as an idle session's end. */
const MAX_UNSEEN_MS = 3_000;

/** What tells that nobody's role, status or credential changed. */
interface Changes {
  fresh(): Promise<void> | undefined;
  touches(): bigint;
  resets(): number;
}

/** Follows one viewer: who he is by now. Nothing is waited for as long as nothing can have changed. */
export type FollowedViewer = () => Viewer | Promise<Viewer>;

/**
 * Makes it. He is looked up only when somebody's standing changed since, or some time is over.
 */
export function followViewer(
  viewer: Viewer,
  options: { renewViewer: RenewViewer; changes: Changes; now: () => Date },
): FollowedViewer {
  const { renewViewer, changes, now } = options;
  let known = viewer;
  let stamp: string | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  const look = (): Viewer | Promise<Viewer> => {
    const current = `${changes.resets()} ${changes.touches()}`;
    const isRecent = performance.now() - lookedAt < MAX_UNSEEN_MS;
    if (stamp === current && isRecent && !isPast(known, now())) return known;
    const startedAt = performance.now();
    return renewViewer(known).then((renewed) => {
      lookedAt = startedAt;
      known = renewed;
      stamp = current;
      return renewed;
    });
  };

  return () => {
    const waiting = changes.fresh();
    return waiting === undefined ? look() : waiting.then(look);
  };
}

function isPast(viewer: Viewer, at: Date): boolean {
  if (viewer.kind !== 'user' || viewer.credential.kind === 'bootstrap') return false;
  const { expiresAt } = viewer.credential;
  return expiresAt !== null && expiresAt <= at;
}

/**
 * Looks at viewers again, for streams that outlive a request. All who ask at the same time are looked up together: some
 * statements, however many streams there are.
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
    // Those who are woken by the same change ask within the same turn or two.
    { cache: false, batchScheduleFn: (run) => void setTimeout(run, 2) },
  );
  return (viewer) => loader.load(viewer);
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}
