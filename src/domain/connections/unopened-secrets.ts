import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';

/**
 * Remembers which secrets did not open, so that lists can show it without trying. Bounded, and local to this process.
 */
export function createUnopenedSecrets(caches: Caches) {
  /** The version at which the secret did not open. */
  const failedAt = caches.createMap<string, number>(CACHE_BOUNDS.unopenedSecrets, estimateBytes);
  let changes = 0;
  return {
    /** Increases whenever an answer may have changed. */
    changes: (): number => changes,
    add(entry: string, version: number): void {
      if (failedAt.get(entry) !== version) changes += 1;
      failedAt.set(entry, version);
    },
    remove(entry: string): void {
      if (failedAt.delete(entry)) changes += 1;
    },
    /** Whether the secret did not open at some version of its row. */
    hasAny: (entry: string): boolean => failedAt.get(entry) !== undefined,

    /** Whether the secret did not open at this version of its row. */
    has(entry: string, version: number): boolean {
      return failedAt.get(entry) === version;
    },
  };
}
