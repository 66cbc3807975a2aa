import type { Caches } from '../../cache/caches.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { TokenBucket } from '../shares/token-bucket.ts';

const SECONDS_PER_MINUTE = 60;
/** What a bucket and its user's id need. */
const BUCKET_BYTES = 200;

/** Limits how many tools are called for a user. */
export type CallRates = ReturnType<typeof createCallRates>;

/** Creates the limit, for one process. @param perMinute also how many calls may come at once */
export function createCallRates({ caches, perMinute, now }: { caches: Caches; perMinute: number; now: () => Date }) {
  const buckets = caches.createMap<string, TokenBucket>(CACHE_BOUNDS.toolCallRates, () => BUCKET_BYTES);
  return {
    /** Counts a call. @returns whether it may be made */
    take(userId: string): boolean {
      const at = now().getTime();
      const bucket =
        buckets.get(userId) ?? new TokenBucket({ capacity: perMinute, perSecond: perMinute / SECONDS_PER_MINUTE }, at);
      buckets.set(userId, bucket);
      return bucket.take(at);
    },
  };
}
