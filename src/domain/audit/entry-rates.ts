import type { Caches } from '../../cache/caches.ts';
import type { AuditAction } from '../../data/records.ts';
import type { NewAuditEntry } from '../../data/repositories/audit-repository.ts';
import { DomainError } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { OPERATION_LIMITS } from '../../limits/operation-limits.ts';
import type { Role } from '../../policy/viewer.ts';
import { type BucketLimits, TokenBucket } from '../shares/token-bucket.ts';

/** What a bucket and its user's id need. */
const BUCKET_BYTES = 200;

const OWN: BucketLimits = {
  capacity: OPERATION_LIMITS.recorded.value,
  perSecond: OPERATION_LIMITS.recordedRate.value,
};
/** One import of an admin records each of its servers, and services act for many people. */
const FOR_OTHERS: BucketLimits = {
  capacity: OPERATION_LIMITS.recordedForOthers.value,
  perSecond: OPERATION_LIMITS.recordedForOthersRate.value,
};
/** The limit of a user, by role. */
export type EntryLimits = Readonly<Record<Role, BucketLimits>>;

const LIMITS: EntryLimits = {
  admin: FOR_OTHERS,
  service: FOR_OTHERS,
  auditor: OWN,
  member: OWN,
};

/** Refusals and tool calls have limits of their own, and happened whether or not they are recorded. */
const WITH_OTHER_LIMITS: ReadonlySet<AuditAction> = new Set([
  'access.denied',
  'mcpTool.call',
  'mcpResource.read',
  'mcpPrompt.get',
]);

/**
 * What takes access away. Whoever holds a stolen credential could otherwise use up the limit so that its owner cannot
 * end it. Each of these ends something that was begun under the limit, once.
 */
const NEVER_REFUSED: ReadonlySet<AuditAction> = new Set([
  'session.end',
  'apiToken.revoke',
  'mcpServerConnection.disconnect',
]);

/**
 * Creates the limit of what each user adds to the audit log through one process. Quotas bound what a user has, not how
 * often they make and remove it, and each time stays in the log.
 *
 * @param options.limits for tests
 */
export function createEntryRates(options: { caches: Caches; now: () => Date; limits?: EntryLimits | undefined }) {
  const { caches, now, limits: limitsOf = LIMITS } = options;
  const buckets = caches.createMap<string, TokenBucket>(CACHE_BOUNDS.entryRates, () => BUCKET_BYTES);
  return {
    /**
     * Counts an entry. Call it in the transaction of what is recorded, so that a refusal undoes that. What the gateway
     * does by itself always passes.
     *
     * @throws RATE_LIMITED
     */
    admit({ actor, action }: Pick<NewAuditEntry, 'actor' | 'action'>): void {
      if (actor.kind !== 'user' || WITH_OTHER_LIMITS.has(action)) return;
      const limits = limitsOf[actor.role];
      const at = now().getTime();
      // A user whose role changed has the limit of the new one.
      const name = `${limits.capacity} ${actor.userId}`;
      const bucket = buckets.get(name) ?? new TokenBucket(limits, at);
      buckets.set(name, bucket);
      if (bucket.take(at) || NEVER_REFUSED.has(action)) return;
      throw tooMany(limits);
    },
  };
}

function tooMany({ capacity, perSecond }: BucketLimits): DomainError {
  const message = `The audit log records at most ${capacity} actions of yours at once, and ${perSecond} a second after that. Nothing was changed; try again in some seconds.`;
  return new DomainError('RATE_LIMITED', message);
}
