import { MCP_LIMITS } from '../../limits/mcp-limits.ts';

const MINUTE_MS = 60_000;

/** How long a list is used when the server does not say. */
const DEFAULT_TTL_MS = 15 * MINUTE_MS;
const MIN_TTL_MS = MINUTE_MS;
const MAX_TTL_MS = MCP_LIMITS.longestFreshness.value;
const MAX_CHANGED_PAUSE_MS = MCP_LIMITS.longestChangedListPause.value;

/** After a failure, the next use waits this long before it tries again. */
const RETRY_MS = MINUTE_MS;

/** When a list that was just listed becomes stale. @param ttlMs as the server said it */
export function staleAfter(now: Date, ttlMs: number | undefined): Date {
  const ttl = ttlMs === undefined || !Number.isFinite(ttlMs) ? DEFAULT_TTL_MS : ttlMs;
  return new Date(now.getTime() + Math.min(Math.max(ttl, MIN_TTL_MS), MAX_TTL_MS));
}

/**
 * The same for a list that turned out to be different. It is used for at least twice as long as the one before, up to a
 * limit: a server whose list is never the same would make an audit entry and events with each listing.
 */
export function staleAfterChange(now: Date, ttlMs: number | undefined, listedBefore: Date | null): Date {
  const usual = staleAfter(now, ttlMs).getTime();
  const age = listedBefore === null ? 0 : now.getTime() - listedBefore.getTime();
  return new Date(Math.max(usual, now.getTime() + Math.min(2 * age, MAX_CHANGED_PAUSE_MS)));
}

/** When to try again after a failure. */
export function retryAfter(now: Date): Date {
  return new Date(now.getTime() + RETRY_MS);
}
