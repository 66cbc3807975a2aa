import { createPlaces, type PlaceLimits } from './places.ts';

/** The limits of a process's streams. */
export interface RegistryLimits extends PlaceLimits {
  /** The maximum age of a stream. Its client then opens another one. */
  maxAgeMs: number;
}

/** Spreads the ends of streams, so that they do not all end in the same second. */
const AGE_JITTER = 0.2;

/**
 * Tracks every stream of the process: counts them and ends those that are too old. The connection detects whether a
 * client still reads.
 */
export function createStreamRegistry(limits: RegistryLimits) {
  const open = new Set<() => void>();
  const places = createPlaces(limits);
  let isOver = false;

  return {
    /**
     * Opens a stream. It ends when its generator finishes, when `return` is called, or by age.
     *
     * @throws RATE_LIMITED when too many are open
     */
    open<Event>(userId: string, run: (signal: AbortSignal) => AsyncGenerator<Event>): AsyncIterableIterator<Event> {
      const leave = places.take(userId);
      const controller = new AbortController();
      const events = run(controller.signal);
      let isOpen = true;
      const end = (): void => {
        if (!isOpen) return;
        isOpen = false;
        clearTimeout(aged);
        open.delete(end);
        leave();
        controller.abort();
      };
      const aged = setTimeout(end, limits.maxAgeMs * (1 - AGE_JITTER * Math.random()));
      open.add(end);
      if (isOver) end();
      return {
        async next() {
          if (!isOpen) return { value: undefined, done: true };
          try {
            const result = await events.next();
            if (result.done !== true && isOpen) return result;
            end();
            return { value: undefined, done: true };
          } catch (error) {
            const wasOpen = isOpen;
            end();
            // After the stream was ended, errors of work in progress are expected.
            if (wasOpen) throw error;
            return { value: undefined, done: true };
          }
        },
        async return() {
          end();
          await events.return(undefined);
          return { value: undefined, done: true };
        },
        async throw(error) {
          end();
          throw error;
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },

    /** Ends all streams normally, and any stream opened later immediately. */
    endAll(): void {
      isOver = true;
      for (const end of [...open]) end();
    },

    count: (): number => open.size,
  };
}
