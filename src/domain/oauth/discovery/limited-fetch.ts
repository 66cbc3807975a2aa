import { OutboundError } from '../../../outbound/outbound-error.ts';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';

/** The limits of one discovery. */
export interface DiscoveryLimits {
  maxRequests: number;
  /** No request starts later than this after the first, in milliseconds. Each request has its own time limit, too. */
  maxMs: number;
}

/**
 * Limits the requests of one discovery. It asks several places one after the other, and other servers decide how many there
 * are and how long each takes.
 *
 * @param now milliseconds of a clock that never goes back
 * @returns a fetch for one discovery. Beyond the limits it fails as if the other side did not answer in time
 */
export function limitFetch(
  fetch: SafeFetch,
  { maxRequests, maxMs }: DiscoveryLimits,
  now: () => number = () => performance.now(),
): SafeFetch {
  let requests = 0;
  let startedAt: number | undefined;
  return async (url, request) => {
    startedAt ??= now();
    requests += 1;
    if (requests > maxRequests || now() - startedAt > maxMs) {
      throw new OutboundError('timeout', 'The discovery takes too many requests or too long.');
    }
    return fetch(url, request);
  };
}
