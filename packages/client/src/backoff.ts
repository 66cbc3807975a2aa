/** How long to wait between attempts. */
export interface Backoff {
  /** Before the second attempt, in milliseconds. It doubles with each failure. */
  minMs: number;
  /** The most, in milliseconds. */
  maxMs: number;
}

/**
 * The wait before the next attempt, in milliseconds: it doubles with each failure, and a random half of it is left out, so
 * that clients that were cut off together do not all come back together.
 *
 * @param failures how many attempts failed since the last success, from 1
 * @param random from 0 up to 1
 */
export function nextDelayMs({ minMs, maxMs }: Backoff, failures: number, random: number): number {
  return Math.min(minMs * 2 ** (failures - 1), maxMs) * (0.5 + random / 2);
}

/** Waits. Rejects with the signal's reason when it is aborted. */
export function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
