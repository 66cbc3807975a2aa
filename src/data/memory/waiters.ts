/** Waiters resumed per turn of the event loop. */
const BATCH = 50;

/** Timeouts are this late, so that the one timer of all waiters ends many of them. */
const TIMER_STEP_MS = 10;

interface Waiter {
  resolve: () => void;
  /** By `performance.now`. */
  endsAt: number;
}

/**
 * Lets callers wait for an event. They are resumed in batches, because thousands of them running at once would block all
 * other requests. Thousands wait again after each event, so a wait has no timer and no listener of its own.
 */
export function createWaiters() {
  const waiting = new Set<Waiter>();
  /** The callers to resume, oldest first. */
  let due: Waiter[] = [];
  let next = 0;
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  /** Who waits until a signal aborts. Each signal has one listener. */
  const bySignal = new WeakMap<AbortSignal, { waiter: Waiter }>();

  const resume = (waiters: Iterable<Waiter>): void => {
    const isResuming = next < due.length;
    due.push(...waiters);
    if (!isResuming) resumeBatch();
  };

  const resumeBatch = (): void => {
    const end = Math.min(next + BATCH, due.length);
    for (; next < end; next += 1) due[next]?.resolve();
    if (next < due.length) {
      setImmediate(resumeBatch);
      return;
    }
    due = [];
    next = 0;
  };

  const endOnAbort = (signal: AbortSignal, waiter: Waiter): void => {
    const known = bySignal.get(signal);
    if (known !== undefined) {
      known.waiter = waiter;
      return;
    }
    const current = { waiter };
    bySignal.set(signal, current);
    signal.addEventListener(
      'abort',
      () => {
        waiting.delete(current.waiter);
        current.waiter.resolve();
      },
      { once: true },
    );
  };

  /** Makes sure that the timer ends by then, or soon after. */
  const lookAt = (at: number): void => {
    if (at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(endDue, Math.max(at - performance.now(), 0) + TIMER_STEP_MS).unref();
  };

  const endDue = (): void => {
    const now = performance.now();
    let earliest = Number.POSITIVE_INFINITY;
    const ended = [...waiting].filter(({ endsAt }) => {
      if (endsAt > now) earliest = Math.min(earliest, endsAt);
      return endsAt <= now;
    });
    for (const waiter of ended) waiting.delete(waiter);
    timerAt = Number.POSITIVE_INFINITY;
    if (earliest < Number.POSITIVE_INFINITY) lookAt(earliest);
    resume(ended);
  };

  return {
    notifyAll(): void {
      const all = [...waiting];
      waiting.clear();
      resume(all);
    },

    /** Resolves when the waiters are notified, on timeout, or on abort. There is one wait for a signal at a time. */
    wait: (timeoutMs: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        const waiter: Waiter = { resolve, endsAt: performance.now() + timeoutMs };
        waiting.add(waiter);
        endOnAbort(signal, waiter);
        lookAt(waiter.endsAt);
      }),
  };
}
