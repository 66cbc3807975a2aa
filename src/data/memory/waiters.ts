import { AsyncLocalStorage } from 'node:async_hooks';

/** Waiters resumed per turn of the event loop. */
const BATCH = 50;

/** Timeouts are this late, so that the one timer of all waiters ends many of them. */
const TIMER_STEP_MS = 10;

interface Waiter {
  /** Undefined while nobody waits. */
  callback: (() => void) | undefined;
  /** By `performance.now`. */
  endsAt: number;
}

/**
 * Lets callers wait for an event. They are resumed in batches, because thousands of them running at once would block all
 * other requests. Thousands wait again after each event, so a wait has no timer and no listener of its own.
 */
export function createWaiters() {
  const waiting = new Set<Waiter>();
  /** What the callbacks do is not part of the request that notifies them. */
  const outside = AsyncLocalStorage.snapshot();
  /** The callers to resume, oldest first. */
  let due: Waiter[] = [];
  let next = 0;
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  const bySignal = new WeakMap<AbortSignal, Waiter>();

  const resume = (waiters: Iterable<Waiter>): void => {
    const isResuming = next < due.length;
    due.push(...waiters);
    // Not at once: whoever notifies them may not be done.
    if (!isResuming) queueMicrotask(() => outside(resumeBatch));
  };

  const resumeBatch = (): void => {
    const batch = due.slice(next, next + BATCH);
    next += batch.length;
    if (next < due.length) {
      setImmediate(resumeBatch);
    } else {
      due = [];
      next = 0;
    }
    for (const waiter of batch) call(waiter);
  };

  /** The waiter of a signal, which is the same each time: it would be garbage after each event. */
  const findWaiter = (signal: AbortSignal): Waiter => {
    const known = bySignal.get(signal);
    if (known !== undefined) return known;
    const waiter: Waiter = { callback: undefined, endsAt: 0 };
    bySignal.set(signal, waiter);
    signal.addEventListener(
      'abort',
      () => {
        waiting.delete(waiter);
        call(waiter);
      },
      { once: true },
    );
    return waiter;
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

    /**
     * Calls back once: when the waiters are notified, on timeout, or on abort. There is one wait for a signal at a time.
     * The callback must not throw.
     */
    wait(timeoutMs: number, signal: AbortSignal, callback: () => void): void {
      const waiter = findWaiter(signal);
      waiter.callback = callback;
      waiter.endsAt = performance.now() + timeoutMs;
      waiting.add(waiter);
      lookAt(waiter.endsAt);
    },
  };
}

function call(waiter: Waiter): void {
  const { callback } = waiter;
  waiter.callback = undefined;
  callback?.();
}
