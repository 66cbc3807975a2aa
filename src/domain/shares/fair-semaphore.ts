/** Admits a limited number of holders at once. */
export interface FairSemaphore {
  /** Waits for a place. @returns a function that gives it back; call it once */
  acquire(userId: string): Promise<() => void>;
}

/**
 * Creates a semaphore. Those who wait are admitted user by user in turn, so someone who waits a hundred times delays
 * others no more than someone who waits once.
 */
export function createFairSemaphore(maxHolders: number): FairSemaphore {
  /** Users in the order of their turns, each with their waiters, oldest first. */
  const queues = new Map<string, (() => void)[]>();
  let holders = 0;

  const admitNext = (): void => {
    const [next] = queues;
    if (next === undefined || holders >= maxHolders) return;
    const [userId, waiters] = next;
    // The user goes to the end of the line.
    queues.delete(userId);
    const admit = waiters.shift();
    if (waiters.length > 0) queues.set(userId, waiters);
    holders += 1;
    admit?.();
  };

  const release = (): void => {
    holders -= 1;
    admitNext();
  };

  return {
    async acquire(userId) {
      await new Promise<void>((resolve) => {
        const waiters = queues.get(userId) ?? [];
        waiters.push(resolve);
        queues.set(userId, waiters);
        admitNext();
      });
      return release;
    },
  };
}
