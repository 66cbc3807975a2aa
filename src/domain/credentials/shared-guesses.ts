import type { Caches } from '../../cache/caches.ts';
import type { Store } from '../../data/store.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { RateLimiter } from '../shares/rate-limiter.ts';
import { type Counts, WindowCounts } from '../shares/window-counts.ts';

/** A network is counted in the database only after a thirtieth of the limit, and then in portions of that size. */
const PORTIONS = 30;
const MAX_WRITES_PER_SECOND = CREDENTIAL_LIMITS.sharedCountsPerSecond.value;
/** Counts that have ended are removed this often while others are written. */
const SWEEP_INTERVAL_MS = 60_000;

/**
 * Lets all replicas count wrong credentials together, through the database. What a flood can make it write is bounded: in
 * portions for each network, nothing once the network is refused, and only some portions a second for all networks. Beyond
 * that, each replica counts for itself.
 */
export function createSharedGuesses(options: {
  caches: Caches;
  store: Pick<Store, 'rateCounts'>;
  perMinute: number;
  now: () => Date;
}) {
  const { caches, store, perMinute, now } = options;
  const portion = Math.max(1, Math.floor(perMinute / PORTIONS));
  const own = new RateLimiter({
    perMinute,
    counts: caches.add(new WindowCounts(CACHE_BOUNDS.wrongCredentials, now)),
    now,
  });
  const stored: Counts = {
    add: async (name, points, { windowMs }) => {
      const at = now();
      const endsAt = new Date(at.getTime() + windowMs);
      return store.rateCounts.add(SYSTEM, { name: `wrong credentials ${name}`, points, now: at, endsAt });
    },
  };
  const all = new RateLimiter({ perMinute, counts: stored, now });

  let second = 0;
  let writes = 0;
  /** Whether a portion may be written in this second. */
  const mayWrite = (at: number): boolean => {
    const current = Math.floor(at / 1_000);
    if (current !== second) [second, writes] = [current, 0];
    writes += 1;
    return writes <= MAX_WRITES_PER_SECOND;
  };

  let sweptAt = 0;
  const sweep = async (at: number): Promise<void> => {
    if (at - sweptAt < SWEEP_INTERVAL_MS) return;
    sweptAt = at;
    await store.rateCounts.sweep(SYSTEM, { now: new Date(at) });
  };

  return {
    /**
     * Counts one wrong credential.
     *
     * @returns for how many seconds the network is to be refused, if all replicas together have seen too many
     */
    async count(name: string): Promise<number | undefined> {
      const { consumedPoints } = await own.penalty(name, 1);
      const at = now().getTime();
      if (consumedPoints % portion !== 0 || !mayWrite(at)) return undefined;
      try {
        await sweep(at);
        const { remaining, retryAfterSeconds } = await all.take(name, portion);
        return remaining === 0 ? retryAfterSeconds : undefined;
      } catch {
        // The database is away. This replica has counted for itself.
        return undefined;
      }
    },
  };
}
