/** Sleepers woken per turn of the event loop. */
const WAKE_AT_ONCE = 50;

/**
 * Lets callers wait for an event. They are woken in batches, because thousands of them running at once would block all
 * other requests.
 */
export function createSleepers() {
  const sleeping = new Set<() => void>();
  /** The callers to wake, oldest first. */
  let woken: (() => void)[] = [];
  let next = 0;

  const wakeSome = (): void => {
    const end = Math.min(next + WAKE_AT_ONCE, woken.length);
    for (; next < end; next += 1) woken[next]?.();
    if (next < woken.length) {
      setImmediate(wakeSome);
      return;
    }
    woken = [];
    next = 0;
  };

  return {
    wakeAll(): void {
      const isWaking = next < woken.length;
      woken.push(...sleeping);
      sleeping.clear();
      if (!isWaking) wakeSome();
    },

    /** Resolves when the sleepers are woken, on timeout, or on abort. */
    sleep: (timeoutMs: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        const wake = (): void => {
          sleeping.delete(wake);
          clearTimeout(late);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const late = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake);
        sleeping.add(wake);
      }),
  };
}
