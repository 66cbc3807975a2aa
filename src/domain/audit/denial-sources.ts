import { randomUUID } from 'node:crypto';
import type { CacheStatus } from '../../cache/bounded-map.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { currentRequest, type RequestScope } from '../../telemetry/request-scope.ts';
import { toClientNetwork } from '../shares/client-network.ts';
import { type BucketLimits, TokenBucket } from '../shares/token-bucket.ts';

/** Denials of one caller with the same operation and code. */
export interface DenialKind {
  operation: string;
  code: string;
  /** Denials that are not in the log yet. */
  count: number;
  /** When the first of them happened, in milliseconds. */
  since: number;
  /** Repeats are only counted until then. */
  quietUntil: number;
  /** The caller and the request of the last one. */
  viewer: Viewer;
  scope: RequestScope;
}

/** Whoever shares a bucket of entries: a user, or the unknown callers of one network. */
export interface DenialSource {
  bucket: TokenBucket;
  kinds: Map<string, DenialKind>;
  /** Whether it represents many networks. Their addresses are left out. */
  isShared: boolean;
}

/** The entries of one source: a burst, then one a minute. The first denial of each kind is written even if it is in debt. */
const SOURCE_ENTRIES: BucketLimits = {
  capacity: CREDENTIAL_LIMITS.denials.value,
  perSecond: 1_000 / CREDENTIAL_LIMITS.denialInterval.value,
};

/** The networks of unknown callers that get a bucket of their own: a burst, then one every five seconds. */
const NEW_NETWORKS: BucketLimits = {
  capacity: CREDENTIAL_LIMITS.deniedNetworks.value,
  perSecond: 1_000 / CREDENTIAL_LIMITS.deniedNetworkInterval.value,
};

const OTHERS = 'others';

/** What a kind needs in memory, with its caller and request, and with its share of the source. */
const KIND_BYTES = 800;

/**
 * Remembers who was denied what. A source is remembered until its bucket is full again, so nobody gets a new bucket by
 * waiting. `NEW_NETWORKS` bounds the sources that are networks: beyond it, the rest share one source. When too much is
 * remembered in all, that source counts for everybody, so that there is still an entry for each kind.
 *
 * @param maxKinds for tests
 */
export function createDenialSources(maxKinds: number = CACHE_BOUNDS.denials.maxEntries) {
  const sources = new Map<string, DenialSource>();
  let newNetworks: TokenBucket | undefined;
  let kinds = 0;

  const addSource = (name: string, at: number, isShared = false): DenialSource => {
    const source = { bucket: new TokenBucket(SOURCE_ENTRIES, at), kinds: new Map(), isShared };
    sources.set(name, source);
    return source;
  };

  const findSource = (viewer: Viewer, address: string | undefined, at: number): DenialSource => {
    const userId = viewerUserId(viewer);
    const name = userId === undefined ? `network ${toClientNetwork(address)}` : `user ${userId}`;
    const known = sources.get(name);
    if (known !== undefined) return known;
    newNetworks ??= new TokenBucket(NEW_NETWORKS, at);
    const hasRoom = kinds < maxKinds && (userId !== undefined || newNetworks.take(at));
    return hasRoom ? addSource(name, at) : findOthers(at);
  };

  const findOthers = (at: number): DenialSource => sources.get(OTHERS) ?? addSource(OTHERS, at, true);

  return {
    /** Counts one denial. @returns where it is counted, and whether it is the first of its kind */
    count(viewer: Viewer, { operation, code }: { operation: string; code: string }, at: number) {
      const request = currentRequest() ?? { requestId: randomUUID(), address: undefined };
      const name = `${code} ${operation}`;
      const own = findSource(viewer, request.address, at);
      const source = kinds < maxKinds || own.kinds.has(name) ? own : findOthers(at);
      const scope = source.isShared ? { ...request, address: undefined } : request;
      const known = source.kinds.get(name);
      if (known !== undefined) {
        Object.assign(known, { viewer, scope, count: known.count + 1, since: known.count === 0 ? at : known.since });
        return { source, kind: known, isFirst: false };
      }
      const kind: DenialKind = { operation, code, count: 1, since: at, quietUntil: 0, viewer, scope };
      source.kinds.set(name, kind);
      kinds += 1;
      return { source, kind, isFirst: true };
    },

    all: (): DenialSource[] => [...sources.values()],

    /** Forgets the sources that have nothing left to write and whose bucket is full. */
    sweep(at: number): void {
      for (const [name, source] of sources) {
        const isIdle = source.bucket.isFull(at) && [...source.kinds.values()].every(({ count }) => count === 0);
        if (!isIdle) continue;
        sources.delete(name);
        kinds -= source.kinds.size;
      }
    },

    isEmpty: (): boolean => sources.size === 0,

    status: (): CacheStatus => ({ ...CACHE_BOUNDS.denials, entries: kinds, bytes: kinds * KIND_BYTES }),
  };
}
