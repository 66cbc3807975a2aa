import { createFairSemaphore } from '../shares/fair-semaphore.ts';

/** Events for subscribers who catch up that are made before other work gets its turn. */
const EVENTS_AT_ONCE = 10;
/** Queries for changes that are no longer in memory. */
const READS_AT_ONCE = 4;

/** Bounds the work for streams that catch up: with changes from before they were opened, or with all configs. */
export interface CatchUp {
  /** Waits for the turn to make one event. */
  turn(userId: string): Promise<void>;
  /** Reads from the database, when it is the user's turn. */
  read<Result>(userId: string, work: () => Promise<Result>): Promise<Result>;
}

/**
 * Creates the bounds for one process. Streams only wait here while they make or read something, never for their clients,
 * so a client that reads slowly delays nobody.
 */
export function createCatchUp(): CatchUp {
  const events = createFairSemaphore(EVENTS_AT_ONCE);
  const reads = createFairSemaphore(READS_AT_ONCE);
  return {
    async turn(userId) {
      const release = await events.acquire(userId);
      // The event is made until then, and everything else that is ready runs before the next ones.
      setImmediate(release);
    },
    async read(userId, work) {
      const release = await reads.acquire(userId);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
