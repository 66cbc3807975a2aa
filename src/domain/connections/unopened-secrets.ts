/** The maximum number of remembered failures. A forgotten failure is found again at the next use. */
const MAX_REMEMBERED = 1_000;

/**
 * Remembers which secrets did not open, so that lists can show it without trying. Bounded, and local to this process.
 */
export function createUnopenedSecrets() {
  /** The version at which the secret did not open. */
  const failedAt = new Map<string, number>();
  let changes = 0;
  return {
    /** Increases whenever an answer may have changed. */
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
