import { createPlaces, type PlaceLimits } from './places.ts';
import { type IterableSupply, iterate, OVER, type Step, type Taken, toSupply } from './supply.ts';

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
     * Opens a stream. It ends when its generator finishes, when it is closed, or by age.
     *
     * @throws RATE_LIMITED when too many are open
     */
    open<Event extends object>(
      userId: string,
      run: (signal: AbortSignal) => Generator<Step<Event>, void, unknown>,
    ): IterableSupply<Event> {
      const leave = places.take(userId);
      const controller = new AbortController();
      const events = toSupply(run(controller.signal));
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

      const check = (taken: Taken<Event>): Taken<Event> => {
        if (!isOpen) return OVER;
        if (taken === OVER) end();
        return taken;
      };
      const fail = (error: unknown): typeof OVER => {
        const wasOpen = isOpen;
        end();
        // After the stream was ended, errors of work in progress are expected.
        if (wasOpen) throw error;
        return OVER;
      };
      return {
        take() {
          if (!isOpen) return OVER;
          try {
            const taken = events.take();
            return taken instanceof Promise ? taken.then(check, fail) : check(taken);
          } catch (error) {
            return fail(error);
          }
        },
        onReady: events.onReady,
        close() {
          end();
          events.close();
        },
        [Symbol.asyncIterator]() {
          return iterate(this);
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
