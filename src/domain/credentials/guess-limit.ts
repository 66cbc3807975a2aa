import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, rateLimited } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { currentRequest } from '../../telemetry/request-scope.ts';
import { toClientNetwork } from '../shares/client-network.ts';
import { RateLimiter } from '../shares/rate-limiter.ts';
import { WindowCounts } from '../shares/window-counts.ts';
import { createSharedGuesses } from './shared-guesses.ts';
import { hashToken } from './token-format.ts';

/** When more networks than there is place for have guessed recently, the rest share one limit. */
const OTHER_NETWORKS = 'other networks';
/** The name of the limit in header fields. */
const POLICY = 'wrong-credentials';
/** More than what any number of credentials under way can give back. */
const BLOCKED = 1_000_000_000_000;

/** Limits how often credentials are tried. */
export type GuessLimit = ReturnType<typeof createGuessLimit>;

/**
 * Creates the limit. Each wrong credential costs its network (an IPv4 address or an IPv6 /64) one guess of this minute. With
 * none left, credentials are refused without looking at them, so junk costs no database query. A credential that was good
 * from the same network before is not affected. Replicas tell each other what they counted.
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

  const countWrong = async (name: string): Promise<void> => {
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
      const isKnown = good.get(key) === true;
      const name = counts.hasPlace(network) ? network : OTHER_NETWORKS;
      // Before verifying, so that many guesses at once count as well.
      const taken = isKnown ? undefined : await local.take(name);
      if (taken?.isAllowed === false) {
        local.tell(POLICY, taken);
        throw tooManyGuesses(taken.retryAfterSeconds);
      }
      const giveBack = async (): Promise<void> => {
        if (taken !== undefined) await local.reward(name, 1);
      };
      try {
        const result = await verify();
        if (isGood(result)) {
          good.set(key, true);
          await giveBack();
          return result;
        }
        good.delete(key);
        if (taken !== undefined) await countWrong(name);
        return result;
      } catch (error) {
        good.delete(key);
        // Otherwise nothing was found out about the credential: the database or the issuer does not answer.
        if (!(error instanceof DomainError)) await giveBack();
        else if (taken !== undefined) await countWrong(name);
        throw error;
      }
    },
  };
}

function tooManyGuesses(retryAfterSeconds: number): DomainError {
  const message = 'Too many wrong tokens or cookies came from your address. Wait a minute, then try again.';
  return rateLimited(message, retryAfterSeconds);
}
