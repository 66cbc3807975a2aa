import type { ConfigChangeRecord } from '../records.ts';

/** Changes kept in memory for subscribers. Subscribers that are further behind read from the database. */
const MAX_CHANGES = 5_000;
/** The limit in characters, because configs may have long lists. */
const MAX_CHARACTERS = 16_000_000;

/** Creates a buffer of the newest changes, without gaps. */
export function createChangeBuffer() {
  let changes: ConfigChangeRecord[] = [];
  let sizes: number[] = [];
  let characters = 0;

  return {
    /** @param more the changes that directly follow the buffered ones */
    push(more: readonly ConfigChangeRecord[]): void {
      for (const change of more) {
        const size = JSON.stringify(change.config).length;
        changes.push(change);
        sizes.push(size);
        characters += size;
      }
      let tooMany = Math.max(changes.length - MAX_CHANGES, 0);
      for (const size of sizes.slice(0, tooMany)) characters -= size;
      for (; characters > MAX_CHARACTERS; tooMany += 1) characters -= sizes[tooMany] ?? 0;
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
      characters = 0;
    },
  };
}
