import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 10;

/**
 * Waits until a condition holds and resolves with how long it took.
 *
 * @param what named in the error if it does not hold in time
 * @param lookEveryMs more for a condition that takes minutes, or much processor time to look at
 */
export async function waitUntil(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs: number,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    if (await isSo()) return performance.now() - startedAt;
    if (performance.now() - startedAt > timeoutMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(lookEveryMs);
  }
}

/** The same promise with a timeout. */
export async function within<Result>(what: string, timeoutMs: number, work: Promise<Result>): Promise<Result> {
  let late: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    late = setTimeout(() => reject(new Error(`${what}: not within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(late);
  }
}
