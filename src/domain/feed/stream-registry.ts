import { DomainError } from '../../errors.ts';

/** What bounds the streams of a process. */
export interface RegistryLimits {
  maxStreams: number;
  maxStreamsPerUser: number;
  maxAgeMs: number;
  maxStallMs: number;
}

/** Streams do not end all in the same second. */
const AGE_JITTER = 0.2;

/** Knows every stream of the process. */
export type StreamRegistry = ReturnType<typeof createStreamRegistry>;

/** Makes it: counts streams, and ends those that are too old, or that nobody reads. */
export function createStreamRegistry(limits: RegistryLimits) {
  const open = new Set<() => void>();
  const perUser = new Map<string, number>();

  const count = (userId: string, by: number): void => {
    const next = (perUser.get(userId) ?? 0) + by;
    if (next <= 0) perUser.delete(userId);
    else perUser.set(userId, next);
  };

  return {
    /**
     * Opens a stream. It ends with its generator, with `return`, by age, or when nobody asks for the next event.
     *
     * @throws RATE_LIMITED when there are too many
     */
    open<Event>(userId: string, run: (signal: AbortSignal) => AsyncGenerator<Event>): AsyncIterableIterator<Event> {
      if (open.size >= limits.maxStreams || (perUser.get(userId) ?? 0) >= limits.maxStreamsPerUser) {
        throw new DomainError('RATE_LIMITED', 'There are too many streams; close some, or try again later.');
      }
      const controller = new AbortController();
      const events = run(controller.signal);
      let isOpen = true;
      let stalled: NodeJS.Timeout | undefined;
      const end = (): void => {
        if (!isOpen) return;
        isOpen = false;
        clearTimeout(aged);
        clearTimeout(stalled);
        open.delete(end);
        count(userId, -1);
        controller.abort();
      };
      const aged = setTimeout(end, limits.maxAgeMs * (1 - AGE_JITTER * Math.random()));
      open.add(end);
      count(userId, 1);
      return {
        async next() {
          clearTimeout(stalled);
          if (!isOpen) return { value: undefined, done: true };
          try {
            const result = await events.next();
            if (result.done === true || !isOpen) {
              end();
              return { value: undefined, done: true };
            }
            stalled = setTimeout(end, limits.maxStallMs);
            return result;
          } catch (error) {
            end();
            throw error;
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

    /** Ends all of them, as if they were complete. */
    endAll(): void {
      for (const end of [...open]) end();
    },

    count: (): number => open.size,
  };
}
