import type { Caches } from '../../cache/caches.ts';
import { DomainError } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import { TokenBucket } from '../shares/token-bucket.ts';

/** What a bucket and its user's id need. */
const BUCKET_BYTES = 200;

const BUCKET = {
  capacity: OPERATION_LIMITS.chatChanges.value,
  perSecond: OPERATION_LIMITS.chatChangeRate.value,
};

/** Limits how often a user changes or deletes chats. Each time adds to the audit log, and no quota ends that. */
export type ChatRates = ReturnType<typeof createChatRates>;

/** Creates the limit, for one process. */
export function createChatRates({ caches, now }: { caches: Caches; now: () => Date }) {
  const buckets = caches.createMap<string, TokenBucket>(CACHE_BOUNDS.chatRates, () => BUCKET_BYTES);
  return {
    /** Counts a change. @throws RATE_LIMITED */
    take(userId: string): void {
      const at = now().getTime();
      const bucket = buckets.get(userId) ?? new TokenBucket(BUCKET, at);
      buckets.set(userId, bucket);
      if (bucket.take(at)) return;
      throw new DomainError('RATE_LIMITED', 'Too many chats were changed or deleted; try again in some seconds.');
    },
  };
}
