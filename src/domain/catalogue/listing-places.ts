import { UpstreamError } from '../../mcp/upstream-error.ts';
import { createFairSemaphore } from '../shares/fair-semaphore.ts';

/** Runs listings, so that those of servers that are slow do not hold up the others. */
export interface ListingPlaces {
  /**
   * Runs a listing when there is a place for it.
   *
   * @param configId the server. Those that wait are admitted server by server in turn
   * @param work ends with the signal's reason when the signal aborts
   */
  run<Result>(configId: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
}

/**
 * Creates the places of one process. A listing that takes long gives its place to the next one and goes on beside, where
 * there is room for a number of them. When there is none left, the one that has been there for longest ends: servers that
 * never answer, however many, do not keep the others from being listed.
 *
 * @param options.atOnce the places
 * @param options.slow how many may go on beside
 * @param options.patienceMs how long a listing keeps its place
 */
export function createListingPlaces(options: { atOnce: number; slow: number; patienceMs: number }): ListingPlaces {
  const { atOnce, slow, patienceMs } = options;
  const places = createFairSemaphore(atOnce);
  /** In the order in which they gave up their places. */
  const beside = new Set<AbortController>();

  return {
    async run(configId, work) {
      const release = await places.acquire(configId);
      const end = new AbortController();
      let isBeside = false;
      const timer = setTimeout(() => {
        const [oldest] = beside;
        if (beside.size >= slow && oldest !== undefined) {
          beside.delete(oldest);
          oldest.abort(new UpstreamError('BUSY'));
        }
        beside.add(end);
        isBeside = true;
        release();
      }, patienceMs).unref();
      try {
        return await work(end.signal);
      } finally {
        clearTimeout(timer);
        if (isBeside) beside.delete(end);
        else release();
      }
    },
  };
}
