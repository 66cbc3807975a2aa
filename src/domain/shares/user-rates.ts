import type { CacheBounds } from '../../cache/bounded-map.ts';
import type { Caches } from '../../cache/caches.ts';
import { rateLimited } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import type { Quotas } from '../../limits/quotas.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { LimitUse } from '../../telemetry/request-scope.ts';
import { RateLimiter, type Taken } from './rate-limiter.ts';
import { WindowCounts } from './window-counts.ts';

/** The name of a limit in header fields. */
const OPERATIONS = 'operations';

/** Limits what each user does in a minute, in one process. */
export type UserRates = ReturnType<typeof createUserRates>;

/** Creates the limits. Callers who are nobody have other limits: those of wrong credentials, and their share. */
export function createUserRates({ caches, quotas, now }: { caches: Caches; quotas: Quotas; now: () => Date }) {
  const createCounts = (bounds: CacheBounds): WindowCounts => caches.add(new WindowCounts(bounds, now));
  const createLimiter = (bounds: CacheBounds, perMinute: number): RateLimiter =>
    new RateLimiter({ perMinute, counts: createCounts(bounds), now });
  const operationCounts = createCounts(CACHE_BOUNDS.operationRates);
  const operations = new RateLimiter({ perMinute: quotas.operationsPerMinute, counts: operationCounts, now });
  const serverChecks = createLimiter(CACHE_BOUNDS.serverCheckRates, quotas.serverChecksPerMinute);
  const toolCalls = createLimiter(CACHE_BOUNDS.toolCallRates, quotas.toolCallsPerMinute);
  const serverCalls = createLimiter(CACHE_BOUNDS.serverCallRates, quotas.toolCallsPerServerPerMinute);

  const admit = async (
    limiter: RateLimiter,
    policy: string,
    viewer: Viewer,
    what: string,
    points = 1,
  ): Promise<void> => {
    const userId = viewerUserId(viewer);
    if (userId === undefined) return;
    const taken = await limiter.takeForRequest(policy, userId, points);
    if (!taken.isAllowed) throw tooMany(what, limiter.points, taken);
  };

  return {
    /** Counts one operation, of whatever kind, or several that came together. @throws RATE_LIMITED */
    admitOperation: (viewer: Viewer, count = 1): Promise<void> =>
      admit(operations, OPERATIONS, viewer, 'operations', count),

    /** Counts one operation of a user outside of a request's scope. @returns what its answer tells */
    takeOperation: (userId: string): LimitUse =>
      operations.toUse(OPERATIONS, operations.toTaken(userId, operationCounts.addNow(userId, 1, operations.window))),

    /** Counts something that makes the gateway call another system at once. @throws RATE_LIMITED */
    admitServerCheck: (viewer: Viewer): Promise<void> =>
      admit(serverChecks, 'server-checks', viewer, 'tests, discoveries, refreshes and connects'),

    /** Counts a tool call for a user. @returns whether it may be made */
    takeToolCall: (userId: string): Promise<Taken> => toolCalls.takeForRequest('tool-calls', userId),

    /** Counts a tool call to a server, for whichever user. Nobody is told what is left. @returns whether it may be made */
    takeServerCall: (configId: string): Promise<Taken> => serverCalls.take(configId),
  };
}

function tooMany(what: string, perMinute: number, { retryAfterSeconds }: Taken) {
  const seconds = retryAfterSeconds === 1 ? 'a second' : `${retryAfterSeconds} seconds`;
  const message = `You may have at most ${perMinute.toLocaleString('en')} ${what} in a minute. Go on in ${seconds}.`;
  return rateLimited(message, retryAfterSeconds);
}
