import type { Database, Listener } from '../../data/database.ts';
import type { ConfigChangeRecord } from '../../data/records.ts';
import type { FeedPosition } from '../../data/repositories/feed-repository.ts';
import type { Store } from '../../data/store.ts';
import { SYSTEM } from '../../policy/viewer.ts';

const CHANNEL = 'gatehouse_feed';
/** The slow way to notice changes, beside notifications. */
const POLL_MS = 1_000;
const BATCH = 1_000;
/** Changes that are kept in memory for those who read along; who is further behind reads from the database. */
const MAX_BUFFERED = 5_000;

/** Reads the changes once for all streams of this process. */
export type FeedReader = ReturnType<typeof createFeedReader>;

/** Makes it; `start` it, and `close` it. */
export function createFeedReader(options: {
  store: Store;
  database: Pick<Database, 'listen'>;
  onError: (error: unknown) => void;
}) {
  const { store, database, onError } = options;
  let listener: Listener | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let head = 0n;
  let epoch = '';
  /** Consecutive, up to `head`. */
  let buffer: ConfigChangeRecord[] = [];
  let reading: Promise<void> | undefined;
  let isWanted = false;
  let lastReadAt = 0;
  const waiting = new Set<() => void>();

  const readOn = async (): Promise<void> => {
    for (;;) {
      isWanted = false;
      const changes = await store.feed.listAfter(SYSTEM, { rev: head, limit: BATCH });
      const newest = changes.at(-1)?.rev;
      if (newest !== undefined) {
        buffer.push(...changes);
        if (buffer.length > MAX_BUFFERED) buffer = buffer.slice(-MAX_BUFFERED);
        head = newest;
        for (const wake of [...waiting]) wake();
      }
      lastReadAt = performance.now();
      if (changes.length < BATCH && !isWanted) return;
    }
  };

  /** Reads what is new. Whoever asks while somebody reads gets another look after it. */
  const read = (): Promise<void> => {
    isWanted = true;
    reading ??= readOn().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  const readQuietly = (): void => {
    read().catch((error: unknown) => {
      if (!isClosed) onError(error);
    });
  };

  return {
    async start(): Promise<void> {
      const position = await store.feed.position(SYSTEM, undefined);
      ({ epoch, rev: head } = position);
      listener = await database.listen(CHANNEL, readQuietly);
      timer = setInterval(readQuietly, POLL_MS);
      timer.unref();
    },

    /** Of the database that is read. */
    epoch: (): string => epoch,

    /** The newest change that was read. */
    head: (): bigint => head,

    /** Where the database is. */
    position: (): Promise<FeedPosition> => store.feed.position(SYSTEM, undefined),

    /** The next changes after one, from memory where they are. */
    async readAfter(rev: bigint, limit: number): Promise<ConfigChangeRecord[]> {
      if (rev >= head) return [];
      const oldest = buffer[0]?.rev;
      if (oldest === undefined || oldest > rev + 1n) return store.feed.listAfter(SYSTEM, { rev, limit });
      const from = Number(rev + 1n - oldest);
      return buffer.slice(from, from + limit);
    },

    /** Resolves when there is a change after this one, or the time is over, or the signal says so. */
    async waitBeyond(rev: bigint, timeoutMs: number, signal: AbortSignal): Promise<void> {
      if (head > rev || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          waiting.delete(done);
          clearTimeout(late);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const late = setTimeout(done, timeoutMs);
        signal.addEventListener('abort', done);
        waiting.add(done);
      });
    },

    /** Removes changes that are older. @returns how many there were */
    expire: (before: Date): Promise<number> => store.feed.removeBefore(SYSTEM, { before }),

    /** Whether changes are noticed: by notification, or by the slow way. @throws Error */
    assertFresh(): void {
      if (listener?.isConnected() === true) return;
      if (performance.now() - lastReadAt > 5 * POLL_MS) throw new Error('the change feed cannot be read');
    },

    isListening: (): boolean => listener?.isConnected() ?? false,

    async close(): Promise<void> {
      isClosed = true;
      clearInterval(timer);
      await listener?.close();
      await reading?.catch(() => undefined);
    },
  };
}
