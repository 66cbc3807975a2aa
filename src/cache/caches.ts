import { type Bounded, BoundedMap, type CacheBounds, type CacheStatus, type SizeOf } from './bounded-map.ts';
import { PromiseCache } from './promise-cache.ts';

/** All caches of a gateway. */
export type Caches = ReturnType<typeof createCaches>;

/** Creates the list of a gateway's caches. Every cache is created here, so that what bounds it is known. */
export function createCaches() {
  const all: Bounded[] = [];

  /** Lists a cache of another kind. */
  const add = <Cache extends Bounded>(cache: Cache): Cache => {
    const { name } = cache.status();
    if (all.some((each) => each.status().name === name)) throw new Error(`there are two caches called "${name}"`);
    all.push(cache);
    return cache;
  };

  return {
    add,

    createMap: <Key, Value>(bounds: CacheBounds, sizeOf: SizeOf<Key, Value>): BoundedMap<Key, Value> =>
      add(new BoundedMap(bounds, sizeOf)),

    createPromiseCache: <Key, Value>(
      bounds: CacheBounds,
      sizeOf: SizeOf<Key, Value>,
      isKept?: (value: Value) => boolean,
    ): PromiseCache<Key, Value> => add(new PromiseCache(bounds, sizeOf, isKept)),

    status: (): CacheStatus[] => all.map((cache) => cache.status()),
  };
}
