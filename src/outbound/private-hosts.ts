import { type Bounded, BoundedMap, type CacheBounds } from '../cache/bounded-map.ts';
import { estimateBytes } from '../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../limits/cache-bounds.ts';
import { OUTBOUND_LIMITS } from '../limits/outbound-limits.ts';
import { type Lookup, resolveAddresses, systemLookup } from './checked-connector.ts';
import { isInRanges, isNamed, type PrivateRange, selectAllowed, toAddress } from './private-ranges.ts';

/** How long the result of a lookup is used without another one. */
const FRESH_MS = 30_000;
const LOOKUP_TIMEOUT_MS = OUTBOUND_LIMITS.lookupTime.value;
/** More URLs than any real document or config has. */
const MAX_RESOLVED_AT_ONCE = OUTBOUND_LIMITS.lookups.value;

/** Loopback, in both families. */
const THIS_MACHINE = ['127.0.0.1', '::1'];

/** Which hosts the operator opened, so that they may be called without TLS. */
export interface PrivateHosts extends Bounded {
  /** Whether the operator opened any range of addresses, so that every name may lead to an allowed one. */
  readonly hasRanges: boolean;
  /**
   * Whether the operator opened the host of a URL: by name and port, or because all its addresses are in allowed ranges.
   * Names other than `localhost` must be resolved first. The connection itself checks again.
   */
  isAllowed(url: URL): boolean;
  /** Looks up the names in http URLs, so that `isAllowed` knows them. Ignores everything else, and never rejects. */
  resolve(urls: Iterable<string>): Promise<void>;
  /** The same for the URLs in a text, such as a document of another server. */
  resolveIn(text: string): Promise<void>;
}

/** Creates the check from the operator's ranges. */
export function createPrivateHosts(
  ranges: readonly PrivateRange[],
  lookup: Lookup = systemLookup,
  bounds: CacheBounds = CACHE_BOUNDS.hosts,
): PrivateHosts {
  const hasRanges = ranges.some(({ kind }) => kind === 'cidr');
  const known = new BoundedMap<string, { isAllowed: boolean; resolvedAt: number }>(bounds, estimateBytes);

  const lookUp = async (hostname: string): Promise<void> => {
    const addresses = await within(LOOKUP_TIMEOUT_MS, resolveAddresses(hostname, lookup)).catch(() => undefined);
    // When the resolver does not answer, what it said before still counts.
    if (addresses === undefined) return;
    const isAllowed = selectAllowed(addresses, (address) => isInRanges(address, ranges)) !== undefined;
    known.set(hostname, { isAllowed, resolvedAt: performance.now() });
  };

  const resolve = async (urls: Iterable<string>): Promise<void> => {
    if (!hasRanges) return;
    const names = new Set<string>();
    for (const text of urls) {
      if (!/^\s*http:/i.test(text) || !URL.canParse(text)) continue;
      const { hostname } = new URL(text);
      const resolvedAt = known.get(hostname)?.resolvedAt;
      const isFresh = resolvedAt !== undefined && performance.now() - resolvedAt < FRESH_MS;
      if (!isFresh && toAddress(hostname) === undefined) names.add(hostname);
      if (names.size >= MAX_RESOLVED_AT_ONCE) break;
    }
    await Promise.all([...names].map(lookUp));
  };

  return {
    hasRanges,

    isAllowed(url) {
      if (isNamed(url, ranges)) return true;
      const { hostname } = url;
      const isInRange = (text: string): boolean => {
        const address = toAddress(text);
        return address !== undefined && isInRanges(address, ranges);
      };
      if (hostname === 'localhost') return THIS_MACHINE.some(isInRange);
      return isInRange(hostname) || known.get(hostname)?.isAllowed === true;
    },

    status: () => known.status(),
    resolve,
    resolveIn: async (text) => (hasRanges ? resolve(listHttpUrls(text)) : undefined),
  };
}

/** The http URLs in a text, up to their path. In JSON, a slash may be escaped. */
function listHttpUrls(text: string): Set<string> {
  const found = text.matchAll(/\bhttp:\\?\/\\?\/([a-z0-9._-]{1,253}(?::\d{1,5})?)(?![\w.:-])/gi);
  return new Set([...found].map(([, host]) => `http://${host}`));
}

async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
