/** The longest wait that is believed. */
const MAX_WAIT_MS = 3_600_000;

/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3).
 *
 * @returns milliseconds, at most an hour; undefined for none or one that is not valid
 */
export function parseRetryAfter(text: string | null, now = Date.now()): number | undefined {
  if (text === null) return undefined;
  const value = text.trim();
  const ms = /^\d{1,10}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_WAIT_MS);
}
