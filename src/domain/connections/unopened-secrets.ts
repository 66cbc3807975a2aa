/** Failures that are remembered; a forgotten one is met again with the next use. */
const MAX_REMEMBERED = 1_000;

/** Remembers which secrets did not open, so that lists can tell without trying. Bounded, and of this process only. */
export function createUnopenedSecrets() {
  /** The version at which the secret did not open. */
  const failedAt = new Map<string, number>();
  let changes = 0;
  return {
    /** Goes up whenever another answer may be given than before. */
    changes: (): number => changes,
    add(entry: string, version: number): void {
      if (failedAt.get(entry) !== version) changes += 1;
      failedAt.delete(entry);
      failedAt.set(entry, version);
      const [oldest] = failedAt.keys();
      if (failedAt.size > MAX_REMEMBERED && oldest !== undefined) failedAt.delete(oldest);
    },
    remove(entry: string): void {
      if (failedAt.delete(entry)) changes += 1;
    },
    /** Whether the secret did not open at some version of its row. */
    hasAny: (entry: string): boolean => failedAt.has(entry),

    /** Whether the secret did not open at this version of its row. */
    has(entry: string, version: number): boolean {
      return failedAt.get(entry) === version;
    },
  };
}
