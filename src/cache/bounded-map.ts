/** What bounds a cache. */
export interface CacheBounds {
  /** Names the cache in metrics and in docs/limits.md. */
  readonly name: string;
  readonly maxEntries: number;
  /** The limit of all entries together, by the cache's own estimate. */
  readonly maxBytes: number;
}

/** How full a cache is. */
export interface CacheStatus extends CacheBounds {
  readonly entries: number;
  readonly bytes: number;
}

/** Anything that keeps data in memory and says how much. */
export interface Bounded {
  status(): CacheStatus;
}

/** Estimates what an entry needs in memory, in bytes, its key included. */
export type SizeOf<Key, Value> = (key: Key, value: Value) => number;

/** What the map itself needs for an entry. */
const ENTRY_BYTES = 100;

/**
 * A map with a limit of entries and of bytes. When it is full, the entries that were not used for the longest time are
 * evicted. An entry that is larger than the whole map is not kept. Create it with `Caches`, or add it there, so that it is listed.
 */
export class BoundedMap<Key, Value> implements Bounded {
  readonly #entries = new Map<Key, { value: Value; bytes: number }>();
  readonly #bounds: CacheBounds;
  readonly #sizeOf: SizeOf<Key, Value>;
  #bytes = 0;

  constructor(bounds: CacheBounds, sizeOf: SizeOf<Key, Value>) {
    this.#bounds = bounds;
    this.#sizeOf = sizeOf;
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // Moved to the end: evicted last.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: Key, value: Value): void {
    this.delete(key);
    const { maxEntries, maxBytes } = this.#bounds;
    const bytes = this.#sizeOf(key, value) + ENTRY_BYTES;
    if (bytes > maxBytes) return;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries && this.#bytes <= maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#bytes -= entry.bytes;
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  status(): CacheStatus {
    return { ...this.#bounds, entries: this.#entries.size, bytes: this.#bytes };
  }
}
