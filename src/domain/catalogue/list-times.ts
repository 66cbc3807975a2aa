import { MCP_LIMITS } from '../../limits/mcp-limits.ts';

const MINUTE_MS = 60_000;

/** How long a list is used when the server does not say. */
const DEFAULT_TTL_MS = 15 * MINUTE_MS;
const MIN_TTL_MS = MINUTE_MS;
const MAX_TTL_MS = MCP_LIMITS.longestFreshness.value;

/** After a failure, the next use waits this long before it tries again. */
const RETRY_MS = MINUTE_MS;

/** When a list that was just listed becomes stale. @param ttlMs as the server said it */
export function staleAfter(now: Date, ttlMs: number | undefined): Date {
  const ttl = ttlMs === undefined || !Number.isFinite(ttlMs) ? DEFAULT_TTL_MS : ttlMs;
  return new Date(now.getTime() + Math.min(Math.max(ttl, MIN_TTL_MS), MAX_TTL_MS));
}

/** When to try again after a failure. */
export function retryAfter(now: Date): Date {
  return new Date(now.getTime() + RETRY_MS);
}
