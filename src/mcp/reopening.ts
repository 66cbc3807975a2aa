import type { ReconnectionScheduler } from '@modelcontextprotocol/client';
import { CALM_MS, MAX_REOPEN_MS, MIN_REOPEN_MS } from './upstream-limits.ts';

/**
 * Creates what decides when a stream that the server ended is opened again, for one connection. The SDK counts only
 * attempts that fail, and takes the time from the server: one that ends each stream at once, and asks for no delay, would
 * get a request after the other. A server that died is noticed within a second: two attempts fail.
 */
export function createReopening(): ReconnectionScheduler {
  let minMs = MIN_REOPEN_MS;
  /** A server that ends its streams now and then, as it may, starts over. */
  let calmAt = 0;
  return (reopen, delayMs) => {
    const now = performance.now();
    if (now >= calmAt) minMs = MIN_REOPEN_MS;
    const waitMs = Math.max(delayMs, minMs);
    calmAt = now + waitMs + CALM_MS;
    const timer = setTimeout(reopen, waitMs).unref();
    minMs = Math.min(minMs * 2, MAX_REOPEN_MS);
    return () => clearTimeout(timer);
  };
}
