import { createPlaces, type PlaceLimits } from './places.ts';

/** What bounds the streams of a process. */
export interface RegistryLimits extends PlaceLimits {
  /** A stream ends by itself after this long; its client goes on with another one. */
  maxAgeMs: number;
}

/** Streams do not end all in the same second. */
const AGE_JITTER = 0.2;

/**
 * Knows every stream of the process: counts them, and ends those that are too old. Whether a client still reads is for
 * the connection to find out.
 */
export function createStreamRegistry(limits: RegistryLimits) {
  const open = new Set<() => void>();
  const places = createPlaces(limits);
  let isOver = false;

  return {
    /**
     * Opens a stream. It ends with its generator, with `return`, or by age.
     *
     * @throws RATE_LIMITED when there are too many
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
            // What was under way when it was ended may fail for that.
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

    /** Ends all of them, as if they were complete, and each that is opened later at once. */
    endAll(): void {
      isOver = true;
      for (const end of [...open]) end();
    },

    count: (): number => open.size,
  };
}
