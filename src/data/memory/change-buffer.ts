import type { ConfigChangeRecord } from '../records.ts';

/** Changes that are kept for those who read along; who is further behind reads from the database. */
const MAX_CHANGES = 5_000;
/** And characters of them: configs may have long lists. */
const MAX_CHARACTERS = 16_000_000;

/** The newest changes, without a gap between them. */
export function createChangeBuffer() {
  let changes: ConfigChangeRecord[] = [];
  let sizes: number[] = [];
  let characters = 0;

  return {
    /** @param more the next ones after those that are here */
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

    /** The next after one; undefined when they are not here (any more). */
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
