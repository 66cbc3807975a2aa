import { UpstreamError } from './upstream-error.ts';
import { MAX_RUNNING, MAX_WAITING } from './upstream-limits.ts';

interface Queue {
  running: number;
  waiting: Set<() => void>;
}

/** Creates the places for operations: a number of them for each key, and others wait. */
export function createCallSlots() {
  const queues = new Map<string, Queue>();

  const leave = (key: string, queue: Queue): void => {
    queue.running -= 1;
    const [next] = queue.waiting;
    next?.();
    if (queue.running === 0) queues.delete(key);
  };

  return {
    /**
     * Waits for a place.
     *
     * @returns gives the place back; call it once
     * @throws BUSY if too many wait already; the signal's reason
     */
    async enter(key: string, signal: AbortSignal): Promise<() => void> {
      signal.throwIfAborted();
      const queue = queues.get(key) ?? { running: 0, waiting: new Set() };
      queues.set(key, queue);
      if (queue.running >= MAX_RUNNING) {
        if (queue.waiting.size >= MAX_WAITING) throw new UpstreamError('BUSY');
        await new Promise<void>((resolve, reject) => {
          const end = (): void => {
            queue.waiting.delete(admit);
            signal.removeEventListener('abort', onAbort);
          };
          const admit = (): void => {
            end();
            queue.running += 1;
            resolve();
          };
          const onAbort = (): void => {
            end();
            reject(signal.reason);
          };
          queue.waiting.add(admit);
          signal.addEventListener('abort', onAbort, { once: true });
        });
      } else queue.running += 1;
      return () => leave(key, queue);
    },
  };
}
