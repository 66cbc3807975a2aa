import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, rateLimited } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { currentRequest } from '../../telemetry/request-scope.ts';
import { toClientNetwork } from '../shares/client-network.ts';
import { RateLimiter, type Taken } from '../shares/rate-limiter.ts';
import { WindowCounts } from '../shares/window-counts.ts';
import { AttemptsUnderWay } from './attempts-under-way.ts';
import { createSharedGuesses } from './shared-guesses.ts';
import { hashToken } from './token-format.ts';

/** When more networks than there is place for have guessed recently, the rest share one limit. */
const OTHER_NETWORKS = 'other networks';
/** The name of the limit in header fields. */
const POLICY = 'wrong-credentials';
/** More than any limit. */
const BLOCKED = 1_000_000_000_000;

/** Limits how often credentials are tried. */
export type GuessLimit = ReturnType<typeof createGuessLimit>;

/**
 * Creates the limit. Each wrong credential costs its network (an IPv4 address or an IPv6 /64) one guess of this minute. With
 * none left, credentials are refused without looking at them, so junk costs no database query. One that is being verified may
 * be wrong: while that many are, others wait for a moment. A credential that was good from the same network before is not
 * affected. Replicas tell each other what they counted.
 */
export function createGuessLimit(options: {
  caches: Caches;
  store: Pick<Store, 'rateCounts'>;
  perMinute: number;
  now: () => Date;
}) {
  const { caches, store, perMinute, now } = options;
  const counts = caches.add(new WindowCounts(CACHE_BOUNDS.guessingNetworks, now));
  const local = new RateLimiter({ perMinute, counts, now });
  const shared = createSharedGuesses({ caches, store, perMinute, now });
  /** Credentials that were valid recently, each with the network that it came from. */
  const good = caches.createMap<string, true>(CACHE_BOUNDS.goodCredentials, estimateBytes);

  const underWay = new AttemptsUnderWay();

  /**
   * Begins an attempt, if the network would not have guessed too often even if all that are under way are wrong.
   *
   * @returns undefined, or what is told of the limit
   */
  const begin = (name: string): Taken | undefined => {
    const counted = counts.addNow(name, 0, local.window);
    if (counted.points + underWay.count(name) >= perMinute) {
      return { ...local.toTaken(name, counted), isAllowed: false, remaining: 0 };
    }
    underWay.begin(name);
    return undefined;
  };

  /** @throws RATE_LIMITED */
  const admit = async (name: string, isKnown: () => boolean): Promise<boolean> => {
    const since = performance.now();
    while (!isKnown()) {
      const refused = begin(name);
      if (refused === undefined) return true;
      if (await underWay.wait(name, since)) continue;
      local.tell(POLICY, refused);
      throw tooManyGuesses(refused.retryAfterSeconds);
    }
    return false;
  };

  const countWrong = async (name: string): Promise<void> => {
    counts.addNow(name, 1, local.window);
    const blockedSeconds = await shared.count(name);
    if (blockedSeconds !== undefined) await local.set(name, BLOCKED, blockedSeconds);
  };

  return {
    /**
     * Verifies a credential, unless its network has guessed too often.
     *
     * @param isGood whether the result means that the credential was right
     * @throws RATE_LIMITED
     */
    async attempt<Result>(
      credential: string,
      verify: () => Promise<Result>,
      isGood: (result: Result) => boolean,
    ): Promise<Result> {
      const network = toClientNetwork(currentRequest()?.address);
      const key = hashToken(`${network} ${credential}`);
      const name = counts.hasPlace(network) ? network : OTHER_NETWORKS;
      const isCounted = await admit(name, () => good.get(key) === true);
      let counting: Promise<void> | undefined;
      const beWrong = (): void => {
        good.delete(key);
        if (isCounted) counting = countWrong(name);
      };
      try {
        const result = await verify();
        if (isGood(result)) good.set(key, true);
        else beWrong();
        return result;
      } catch (error) {
        // Otherwise nothing was found out about the credential: the database or the issuer does not answer.
        if (error instanceof DomainError) beWrong();
        else good.delete(key);
        throw error;
      } finally {
        if (isCounted) underWay.end(name);
        await counting;
      }
    },
  };
}

function tooManyGuesses(retryAfterSeconds: number): DomainError {
  const message = 'Too many wrong tokens or cookies came from your address. Wait a minute, then try again.';
  return rateLimited(message, retryAfterSeconds);
}
