import type { ReconnectionScheduler } from '@modelcontextprotocol/client';
import { MAX_REOPEN_MS, MIN_REOPEN_MS } from './upstream-limits.ts';

/**
 * Creates what decides when a stream that the server ended is opened again, for one connection. The SDK counts only
 * attempts that fail, and takes the time from the server: one that ends each stream at once, and asks for no delay, would
 * get a request after the other.
 */
export function createReopening(): ReconnectionScheduler {
  let minMs = MIN_REOPEN_MS;
  return (reopen, delayMs) => {
    const timer = setTimeout(reopen, Math.max(delayMs, minMs)).unref();
    minMs = Math.min(minMs * 2, MAX_REOPEN_MS);
    return () => clearTimeout(timer);
  };
}
