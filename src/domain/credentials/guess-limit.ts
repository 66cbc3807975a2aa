import type { Bounded } from '../../cache/bounded-map.ts';
import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { DomainError } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { currentRequest } from '../../telemetry/request-scope.ts';
import { toClientNetwork } from '../shares/client-network.ts';
import { type BucketLimits, TokenBucket } from '../shares/token-bucket.ts';
import { hashToken } from './token-format.ts';

/** Wrong credentials from one network: a burst, then a rate. */
const GUESSES: BucketLimits = {
  capacity: CREDENTIAL_LIMITS.guesses.value,
  perSecond: CREDENTIAL_LIMITS.guessesPerSecond.value,
};

/** When more networks than this have guessed recently, the rest share one limit, which is one of them. */
const MAX_NETWORKS = CACHE_BOUNDS.guessingNetworks.maxEntries - 1;
const OTHER_NETWORKS = 'other networks';

/** What a network needs in memory: its name, its bucket and its place in the map. */
const NETWORK_BYTES = 400;

/** Limits how often credentials are tried. */
export type GuessLimit = ReturnType<typeof createGuessLimit>;

/**
 * Creates the limit. Each wrong credential costs its network (an IPv4 address or an IPv6 /64) one guess. With none left,
 * credentials are refused without looking at them, so junk costs no database query. A credential that was good from the
 * same network before is not affected.
 */
export function createGuessLimit({ caches, now }: { caches: Caches; now: () => Date }) {
  const networks = new Map<string, TokenBucket>();
  caches.add<Bounded>({
    status: () => ({
      ...CACHE_BOUNDS.guessingNetworks,
      entries: networks.size,
      bytes: networks.size * NETWORK_BYTES,
    }),
  });
  /** Credentials that were valid recently, each with the network that it came from. */
  const good = caches.createMap<string, true>(CACHE_BOUNDS.goodCredentials, estimateBytes);

  /** Removes the networks that have not guessed recently, when there are many. */
  const sweep = (at: number): void => {
    if (networks.size < MAX_NETWORKS) return;
    for (const [network, bucket] of networks) {
      if (bucket.isFull(at)) networks.delete(network);
    }
  };

  const findBucket = (network: string, at: number): TokenBucket => {
    const known = networks.get(network);
    if (known !== undefined) return known;
    sweep(at);
    const name = networks.size < MAX_NETWORKS ? network : OTHER_NETWORKS;
    const bucket = networks.get(name) ?? new TokenBucket(GUESSES, at);
    networks.set(name, bucket);
    return bucket;
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
      const at = now().getTime();
      const network = toClientNetwork(currentRequest()?.address);
      const key = hashToken(`${network} ${credential}`);
      const isKnown = good.get(key) === true;
      const bucket = isKnown ? undefined : findBucket(network, at);
      // Before verifying, so that many guesses at once count as well.
      if (bucket?.take(at) === false) throw tooManyGuesses();
      let isRight = false;
      try {
        const result = await verify();
        isRight = isGood(result);
        return result;
      } catch (error) {
        // Nothing was found out about the credential: the database or the issuer does not answer.
        if (!(error instanceof DomainError)) bucket?.refund(1);
        throw error;
      } finally {
        if (isRight) {
          bucket?.refund(1);
          good.set(key, true);
        } else {
          good.delete(key);
        }
      }
    },
  };
}

function tooManyGuesses(): DomainError {
  const message = 'Too many wrong tokens or cookies came from your address. Wait a minute, then try again.';
  return new DomainError('RATE_LIMITED', message);
}
