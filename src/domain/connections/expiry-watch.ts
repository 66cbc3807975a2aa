/** Watches the times at which the states of connections change by themselves. */
export type ExpiryWatch = ReturnType<typeof createExpiryWatch>;

/** Creates the watch. It keeps one time, whatever the number of connections. */
export function createExpiryWatch(now: () => Date) {
  /** The next time at which an answer that was given so far becomes wrong. */
  let nextMs = Number.POSITIVE_INFINITY;
  let changes = 0;
  return {
    /** Whether this time has come. Null never comes. */
    isPast(time: Date | null): boolean {
      if (time === null) return false;
      if (time <= now()) return true;
      nextMs = Math.min(nextMs, time.getTime());
      return false;
    },

    /** Equal stamps mean that no time that was asked about has come in between. */
    stamp(): string {
      if (now().getTime() >= nextMs) {
        changes += 1;
        nextMs = Number.POSITIVE_INFINITY;
      }
      return String(changes);
    },
  };
}
