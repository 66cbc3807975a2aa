import type { CacheStatus } from '../../cache/bounded-map.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import type { ConfigChangeRecord } from '../records.ts';

/** Changes kept in memory for subscribers. Subscribers that are further behind read from the database. */
const BOUNDS = CACHE_BOUNDS.changes;

/** Creates a buffer of the newest changes, without gaps. */
export function createChangeBuffer() {
  let changes: ConfigChangeRecord[] = [];
  let sizes: number[] = [];
  let bytes = 0;

  return {
    /** @param more the changes that directly follow the buffered ones */
    push(more: readonly ConfigChangeRecord[]): void {
      for (const change of more) {
        const size = estimateBytes(change);
        changes.push(change);
        sizes.push(size);
        bytes += size;
      }
      let tooMany = Math.max(changes.length - BOUNDS.maxEntries, 0);
      for (const size of sizes.slice(0, tooMany)) bytes -= size;
      for (; bytes > BOUNDS.maxBytes; tooMany += 1) bytes -= sizes[tooMany] ?? 0;
      if (tooMany === 0) return;
      changes = changes.slice(tooMany);
      sizes = sizes.slice(tooMany);
    },

    /** The changes after a revision. Undefined when they are not (or no longer) buffered. */
    readAfter(rev: bigint, limit: number): ConfigChangeRecord[] | undefined {
      const oldest = changes[0]?.rev;
      if (oldest === undefined || oldest > rev + 1n) return undefined;
      const from = Number(rev + 1n - oldest);
      return changes.slice(from, from + limit);
    },

    clear(): void {
      changes = [];
      sizes = [];
      bytes = 0;
    },

    status: (): CacheStatus => ({ ...BOUNDS, entries: changes.length, bytes }),
  };
}
