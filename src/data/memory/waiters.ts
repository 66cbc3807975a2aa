/** Waiters resumed per turn of the event loop. */
const BATCH = 50;

/**
 * Lets callers wait for an event. They are resumed in batches, because thousands of them running at once would block all
 * other requests.
 */
export function createWaiters() {
  const waiting = new Set<() => void>();
  /** The callers to resume, oldest first. */
  let due: (() => void)[] = [];
  let next = 0;

  const resumeBatch = (): void => {
    const end = Math.min(next + BATCH, due.length);
    for (; next < end; next += 1) due[next]?.();
    if (next < due.length) {
      setImmediate(resumeBatch);
      return;
    }
    due = [];
    next = 0;
  };

  return {
    notifyAll(): void {
      const isResuming = next < due.length;
      due.push(...waiting);
      waiting.clear();
      if (!isResuming) resumeBatch();
    },

    /** Resolves when the waiters are notified, on timeout, or on abort. */
    wait: (timeoutMs: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        const resume = (): void => {
          waiting.delete(resume);
          clearTimeout(timer);
          signal.removeEventListener('abort', resume);
          resolve();
        };
        const timer = setTimeout(resume, timeoutMs);
        signal.addEventListener('abort', resume);
        waiting.add(resume);
      }),
  };
}
