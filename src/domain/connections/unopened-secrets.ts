/** Failures that are remembered; a forgotten one is met again with the next use. */
const MAX_REMEMBERED = 1_000;

/** Remembers which secrets did not open, so that lists can tell without trying. Bounded, and of this process only. */
export function createUnopenedSecrets() {
  /** The version at which the secret did not open. */
  const failedAt = new Map<string, number>();
  return {
    add(entry: string, version: number): void {
      failedAt.delete(entry);
      failedAt.set(entry, version);
      const [oldest] = failedAt.keys();
      if (failedAt.size > MAX_REMEMBERED && oldest !== undefined) failedAt.delete(oldest);
    },
    remove(entry: string): void {
      failedAt.delete(entry);
    },
    /** Whether the secret did not open at some version of its row. */
    hasAny: (entry: string): boolean => failedAt.has(entry),

    /** Whether the secret did not open at this version of its row. */
    has(entry: string, version: number): boolean {
      return failedAt.get(entry) === version;
    },
  };
}
