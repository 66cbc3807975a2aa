/** How long resolving lists may keep the event loop before others run, in milliseconds. */
const SLICE_MS = 5;

/**
 * Shares the process's time between long executions and everything else. A slice begins with the first call in a turn of
 * the event loop. When it is over, executions wait in a queue, and each turn runs one of them for another slice: in
 * between, new requests are accepted and answered.
 */
export function createTimeSlices() {
  const waiting: (() => void)[] = [];
  let endsAt: number | undefined;

  const begin = (): void => {
    endsAt = performance.now() + SLICE_MS;
    setImmediate(turn);
  };

  const turn = (): void => {
    endsAt = undefined;
    const next = waiting.shift();
    if (next === undefined) return;
    begin();
    next();
  };

  const hasTime = (): boolean => {
    if (endsAt === undefined) begin();
    return waiting.length === 0 && endsAt !== undefined && performance.now() < endsAt;
  };

  return {
    /** Whether the slice is not over. */
    hasTime,

    /** Undefined if the caller may go on at once; otherwise resolves when it is its turn. */
    next(): Promise<void> | undefined {
      if (hasTime()) return undefined;
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** The slices of this process. There is one event loop, so there is one of these. */
export const timeSlices = createTimeSlices();
