/** Of those who are woken, so many at a time. */
const WAKE_AT_ONCE = 50;

/**
 * Who waits for something to happen, and is woken when it did. Some at a time: what thousands do at once would keep all
 * other requests waiting.
 */
export function createSleepers() {
  const sleeping = new Set<() => void>();
  /** To be woken, the first ones first. */
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

    /** Resolves when all are woken, the time is over, or the signal says so. */
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
