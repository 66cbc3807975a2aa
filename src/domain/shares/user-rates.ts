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
  const createLimit = (bounds: CacheBounds, perMinute: number) => {
    const counts = caches.add(new WindowCounts(bounds, now));
    const limiter = new RateLimiter({ perMinute, counts, now });
    return {
      perMinute,
      toUse: limiter.toUse.bind(limiter),
      /** Without waiting: what is counted in memory is counted at once. */
      take: (name: string, points = 1): Taken => limiter.toTaken(name, counts.addNow(name, points, limiter.window)),
      /** The same, and lets the answer to the current request tell what is left. */
      takeForRequest(policy: string, name: string, points = 1): Taken {
        const taken = this.take(name, points);
        limiter.tell(policy, taken);
        return taken;
      },
    };
  };
  const operations = createLimit(CACHE_BOUNDS.operationRates, quotas.operationsPerMinute);
  const serverChecks = createLimit(CACHE_BOUNDS.serverCheckRates, quotas.serverChecksPerMinute);
  const toolCalls = createLimit(CACHE_BOUNDS.toolCallRates, quotas.toolCallsPerMinute);
  const serverCalls = createLimit(CACHE_BOUNDS.serverCallRates, quotas.toolCallsPerServerPerMinute);

  const admit = async (
    limit: ReturnType<typeof createLimit>,
    policy: string,
    viewer: Viewer,
    what: string,
    points = 1,
  ): Promise<void> => {
    const userId = viewerUserId(viewer);
    if (userId === undefined) return;
    const taken = limit.takeForRequest(policy, userId, points);
    if (!taken.isAllowed) throw tooMany(what, limit.perMinute, taken);
  };

  return {
    /** Counts one operation, of whatever kind, or several that came together. @throws RATE_LIMITED */
    admitOperation: (viewer: Viewer, count = 1): Promise<void> =>
      admit(operations, OPERATIONS, viewer, 'operations', count),

    /** Counts one operation of a user outside of a request's scope. @returns what its answer tells */
    takeOperation: (userId: string): LimitUse => operations.toUse(OPERATIONS, operations.take(userId)),

    /** Counts something that makes the gateway call another system at once. @throws RATE_LIMITED */
    admitServerCheck: (viewer: Viewer): Promise<void> =>
      admit(serverChecks, 'server-checks', viewer, 'tests, discoveries, refreshes and connects'),

    /** Counts a tool call for a user. @returns whether it may be made */
    takeToolCall: (userId: string): Taken => toolCalls.takeForRequest('tool-calls', userId),

    /** Counts a tool call to a server, for whichever user. Nobody is told what is left. @returns whether it may be made */
    takeServerCall: (configId: string): Taken => serverCalls.take(configId),
  };
}

function tooMany(what: string, perMinute: number, { retryAfterSeconds }: Taken) {
  const seconds = retryAfterSeconds === 1 ? 'a second' : `${retryAfterSeconds} seconds`;
  const message = `You may have at most ${perMinute.toLocaleString('en')} ${what} in a minute. Go on in ${seconds}.`;
  return rateLimited(message, retryAfterSeconds);
}
