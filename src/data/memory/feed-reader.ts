import { SYSTEM } from '../../policy/viewer.ts';
import type { Database, Listener } from '../database.ts';
import type { ConfigChangeRecord } from '../records.ts';
import type { FeedPosition } from '../repositories/feed-repository.ts';
import type { Repositories } from '../store.ts';
import { createRerun } from './rerun.ts';

const CHANNEL = 'gatehouse_feed';
/** The slow way to notice changes, beside notifications. */
const POLL_MS = 1_000;
/** What was not compared with the database for so long is compared before it is used, whatever the listener thinks. */
const MAX_UNVERIFIED_MS = 2_000;
/** A look that takes longer is given up, so that the next can be over another connection. */
const LOOK_TIMEOUT_MS = 5_000;
const BATCH = 1_000;
/** Changes that are kept in memory for those who read along; who is further behind reads from the database. */
const MAX_BUFFERED = 5_000;
/** Of those who wait for changes. */
const WAKE_AT_ONCE = 50;

/** Who keeps something in memory. Called in the order of the changes. */
export interface FeedObserver {
  onChanges(changes: readonly ConfigChangeRecord[]): void;
  /** Everything is to be forgotten. */
  onForget(): void;
}

/** How far this process is. */
export interface FeedStatus {
  /** The newest change that was read. */
  rev: bigint;
  /** The newest change that there was in the database when it was last asked. */
  databaseRev: bigint;
  isListening: boolean;
  /** How long ago the last look into the database began that found nothing unread. */
  verifiedMsAgo: number;
}

/** Reads the changes once for all of this process. */
export type FeedReader = ReturnType<typeof createFeedReader>;

/** Makes it; `start` it, and `close` it. */
export function createFeedReader(options: {
  feed: Repositories['feed'];
  database: Pick<Database, 'listen' | 'writeCount'>;
  observer: FeedObserver;
  /** Told how long each change took from its transaction's end to here, in milliseconds by the clocks of both. */
  onDelay?: (delayMs: number) => void;
  onError: (error: unknown) => void;
}) {
  const { feed, database, observer, onDelay, onError } = options;
  let listener: Listener | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let withHistory = true;
  let position: FeedPosition = { epoch: '', rev: 0n, expiredRev: 0n, touches: 0n };
  let head = 0n;
  /** Counts how often the database turned out to be another than before. */
  let resets = 0;
  /** Consecutive, up to `head`. */
  let buffer: ConfigChangeRecord[] = [];
  let notifications = 0;
  let looks = 0;
  let lookedDoubts = -1;
  let verifiedDoubts = -1;
  let verifiedAt = Number.NEGATIVE_INFINITY;
  const waiting = new Set<() => void>();
  /** Those who are to be woken, the first ones first. */
  const woken: (() => void)[] = [];

  /** Goes up with everything after which the database has to be asked. */
  const countDoubts = (): number => notifications + database.writeCount();

  /**
   * Some at a time: what thousands do at once would keep all other requests waiting, and what they leave behind would
   * outlive the quick collection of garbage.
   */
  const wakeSome = (): void => {
    for (const wake of woken.splice(0, WAKE_AT_ONCE)) wake();
    if (woken.length > 0) setImmediate(wakeSome);
  };
  const wakeAll = (): void => {
    const isWaking = woken.length > 0;
    woken.push(...waiting);
    waiting.clear();
    if (!isWaking) wakeSome();
  };

  const askPosition = (): Promise<FeedPosition> => feed.position(SYSTEM, { withHistory });

  const beginAnew = (next: FeedPosition): void => {
    resets += 1;
    buffer = [];
    position = next;
    head = next.rev;
    observer.onForget();
    wakeAll();
  };

  const look = async (): Promise<void> => {
    if (isClosed) throw new Error('the change feed is closed');
    looks += 1;
    const number = looks;
    const doubts = countDoubts();
    lookedDoubts = doubts;
    const startedAt = performance.now();
    const found = await askPosition();
    // One that was given up may still get its answer, when another has looked long since.
    if (number !== looks) return;
    if (found.epoch !== position.epoch || found.rev < head) beginAnew(found);
    else if (found.touches !== position.touches) observer.onForget();
    position = found;
    while (head < found.rev) {
      const changes = await feed.listAfter(SYSTEM, { rev: head, limit: BATCH });
      if (number !== looks) return;
      const newest = changes.at(-1)?.rev;
      if (newest === undefined || changes[0]?.rev !== head + 1n) {
        // They were removed by age before they were read here.
        beginAnew(found);
        break;
      }
      buffer.push(...changes);
      if (buffer.length > MAX_BUFFERED) buffer = buffer.slice(-MAX_BUFFERED);
      head = newest;
      observer.onChanges(changes);
      if (onDelay !== undefined) for (const { occurredAt } of changes) onDelay(Date.now() - occurredAt.getTime());
      wakeAll();
    }
    verifiedDoubts = doubts;
    verifiedAt = startedAt;
  };

  const looking = createRerun(() => withTimeout(look(), LOOK_TIMEOUT_MS));

  const lookQuietly = (): void => {
    looking.run().catch((error: unknown) => {
      if (!isClosed) onError(error);
    });
  };

  return {
    async start(): Promise<void> {
      // Not every service that speaks PostgreSQL tells its history.
      position = await askPosition().catch(() => {
        withHistory = false;
        return askPosition();
      });
      head = position.rev;
      listener = await database.listen(CHANNEL, () => {
        notifications += 1;
        lookQuietly();
      });
      timer = setInterval(lookQuietly, POLL_MS);
      timer.unref();
    },

    /**
     * Nothing when what is in memory is what is in the database, as far as anybody here can know; otherwise a promise
     * of a look that began after this call. While no notifications come every call has one: slower, never staler.
     *
     * Own writes are counted, so what was written through this process is always seen.
     */
    fresh(): Promise<void> | undefined {
      const isTold = listener?.isConnected() === true && performance.now() - verifiedAt < MAX_UNVERIFIED_MS;
      const doubts = countDoubts();
      if (isTold && verifiedDoubts === doubts) return undefined;
      const current = isTold && lookedDoubts === doubts ? looking.current() : undefined;
      return current ?? looking.run();
    },

    /** Of the database and its history that is read. */
    epoch: (): string => position.epoch,

    /** The newest change that was read. */
    head: (): bigint => head,

    /** Counts how often the database turned out to be another than before: whoever reads along has to begin anew. */
    resets: (): number => resets,

    /**
     * Goes up when a user, a credential or a sealed value changed: while it stays, and `fresh` has nothing to wait for,
     * callers are who they were.
     */
    touches: (): bigint => position.touches,

    /** Equal texts mean that nothing that is kept in memory changed in between. */
    stamp: (): string => `${position.epoch} ${resets} ${head} ${position.touches}`,

    /** Where the database is. */
    position: askPosition,

    /** The next changes after one, from memory where they are. */
    async readAfter(rev: bigint, limit: number): Promise<ConfigChangeRecord[]> {
      if (rev >= head) return [];
      const oldest = buffer[0]?.rev;
      if (oldest === undefined || oldest > rev + 1n) return feed.listAfter(SYSTEM, { rev, limit });
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
    expire: (before: Date): Promise<number> => feed.removeBefore(SYSTEM, { before }),

    /** How far this process is. */
    status: (): FeedStatus => ({
      rev: head,
      databaseRev: position.rev,
      isListening: listener?.isConnected() ?? false,
      verifiedMsAgo: performance.now() - verifiedAt,
    }),

    /** @throws Error when neither notifications come nor the database answers */
    assertFresh(): void {
      if (listener?.isConnected() === true) return;
      if (performance.now() - verifiedAt > 5 * POLL_MS) throw new Error('the change feed cannot be read');
    },

    async close(): Promise<void> {
      isClosed = true;
      clearInterval(timer);
      await listener?.close();
      await looking.settle();
    },
  };
}

async function withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    late = setTimeout(() => reject(new Error(`the database did not answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(late);
  }
}
