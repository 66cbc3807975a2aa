import { type Bounded, BoundedMap, type CacheBounds, type CacheStatus, type SizeOf } from './bounded-map.ts';

/**
 * Caches results of asynchronous work. Callers that need the same result while the work is in progress share it. What is in progress
 * is not counted and evicts nothing: only a result that is worth keeping takes a place.
 */
export class PromiseCache<Key, Value> implements Bounded {
  readonly #pending = new Map<Key, Promise<Value>>();
  readonly #kept: BoundedMap<Key, { result: Promise<Value>; value: Value }>;
  readonly #isKept: (value: Value) => boolean;

  /** @param isKept whether a result is worth keeping; by default, all are. Failures never are */
  constructor(bounds: CacheBounds, sizeOf: SizeOf<Key, Value>, isKept: (value: Value) => boolean = () => true) {
    this.#kept = new BoundedMap(bounds, (key, { value }) => sizeOf(key, value));
    this.#isKept = isKept;
  }

  get(key: Key): Promise<Value> | undefined {
    return this.#pending.get(key) ?? this.#kept.get(key)?.result;
  }

  /** The result, if it is there already: for those who would make a promise for each of thousands of readers. */
  getKept(key: Key): Value | undefined {
    return this.#pending.has(key) ? undefined : this.#kept.get(key)?.value;
  }

  /** Returns the known result, or starts the work. */
  getOrStart(key: Key, work: () => Promise<Value>): Promise<Value> {
    return this.get(key) ?? this.start(key, work());
  }

  /** Makes work that has been started the result for a key. */
  start(key: Key, result: Promise<Value>): Promise<Value> {
    this.#kept.delete(key);
    this.#pending.set(key, result);
    result.then(
      (value) => {
        // Deleted or replaced in the meantime.
        if (this.#pending.get(key) !== result) return;
        this.#pending.delete(key);
        if (this.#isKept(value)) this.#kept.set(key, { result, value });
      },
      () => {
        if (this.#pending.get(key) === result) this.#pending.delete(key);
      },
    );
    return result;
  }

  delete(key: Key): void {
    this.#pending.delete(key);
    this.#kept.delete(key);
  }

  clear(): void {
    this.#pending.clear();
    this.#kept.clear();
  }

  status(): CacheStatus {
    return this.#kept.status();
  }
}
