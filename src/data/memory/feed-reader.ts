import type { Caches } from '../../cache/caches.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { Database, Listener } from '../database/database.ts';
import { isRefusal } from '../database/database-error.ts';
import type { ConfigChangeRecord } from '../records.ts';
import type { FeedPosition } from '../repositories/feed-repository.ts';
import type { Repositories } from '../store.ts';
import { createChangeBuffer } from './change-buffer.ts';
import { createRerun } from './rerun.ts';
import { createWaiters } from './waiters.ts';

const CHANNEL = 'gatehouse_feed';
/** How often the database is polled, as a fallback for notifications. */
const POLL_MS = 1_000;
/**
 * Data last verified longer ago than this is checked against the database before use, even while the listener is
 * connected.
 */
const MAX_UNVERIFIED_MS = 2_000;
/** A poll that takes longer is abandoned, so that the next one can use another connection. */
const POLL_TIMEOUT_MS = 5_000;
const BATCH = 1_000;

/** A consumer that keeps derived state in memory. Called in the order of the changes. */
export interface FeedObserver {
  onChanges(changes: readonly ConfigChangeRecord[]): void;
  /** Called when all cached state must be discarded, except configs: users, credentials or connections changed. */
  onCallersChanged(): void;
  /** Called when all cached state must be discarded. */
  onInvalidate(): void;
}

/** How far this process has read. */
export interface FeedStatus {
  /** The newest change that was read. */
  rev: bigint;
  /** The newest change in the database when it was last polled. */
  databaseRev: bigint;
  isListening: boolean;
  /** Milliseconds since the start of the last poll that left nothing unread. */
  verifiedMsAgo: number;
}

/** Counters of the events after which the database must be polled. */
interface Doubts {
  all: number;
  /** Events that may concern users, their credentials, or the sealing of values. */
  callers: number;
}

/** Reads the change feed once for the whole process. */
export type FeedReader = ReturnType<typeof createFeedReader>;

/** Creates the feed reader. Call `start` before use and `close` at the end. */
export function createFeedReader(options: {
  feed: Repositories['feed'];
  database: Pick<Database, 'listen' | 'writeCount'>;
  observer: FeedObserver;
  caches: Caches;
  /**
   * Called with the delay of each change, in milliseconds: from the end of its transaction (database clock) to its
   * arrival here (local clock).
   */
  onDelay?: (delayMs: number) => void;
  onError: (error: unknown) => void;
}) {
  const { feed, database, observer, caches, onDelay, onError } = options;
  let listener: Listener | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let withHistory = true;
  let position: FeedPosition = { epoch: '', rev: 0n, expiredRev: 0n, callerVersion: 0n, configVersion: 0n };
  let head = 0n;
  /** Counts how often the reader had to restart: the database was replaced or restored, or changes were missed. */
  let resets = 0;
  /** The changes up to `head`. */
  const buffer = caches.add(createChangeBuffer());
  const waiters = createWaiters();
  let notifications = 0;
  /** The notifications that may concern callers. */
  let callerNotifications = 0;
  let polls = 0;
  let polled: Doubts = { all: -1, callers: -1 };
  let verified: Doubts = polled;
  let verifiedAt = Number.NEGATIVE_INFINITY;

  const countDoubts = (): Doubts => ({ all: notifications + database.writeCount(), callers: callerNotifications });

  /** Whether notifications arrive and the state was verified recently. */
  const isNotified = (): boolean =>
    listener?.isConnected() === true && performance.now() - verifiedAt < MAX_UNVERIFIED_MS;

  const freshOf = (kind: keyof Doubts): Promise<void> | undefined => {
    const notified = isNotified();
    const doubts = countDoubts()[kind];
    if (notified && verified[kind] === doubts) return undefined;
    const current = notified && polled[kind] === doubts ? polling.current() : undefined;
    return current ?? polling.run();
  };

  const readPosition = (): Promise<FeedPosition> => feed.position(SYSTEM, { withHistory });

  const restart = (next: FeedPosition): void => {
    resets += 1;
    buffer.clear();
    position = next;
    head = next.rev;
    observer.onInvalidate();
    waiters.notifyAll();
  };

  const poll = async (): Promise<void> => {
    if (isClosed) throw new Error('the change feed is closed');
    polls += 1;
    const number = polls;
    const doubts = countDoubts();
    polled = doubts;
    const startedAt = performance.now();
    const found = await readPosition();
    // An abandoned poll may still get its answer after a newer poll has finished.
    if (number !== polls) return;
    if (found.epoch !== position.epoch || found.rev < head) restart(found);
    else if (found.configVersion !== position.configVersion) observer.onInvalidate();
    else if (found.callerVersion !== position.callerVersion) observer.onCallersChanged();
    position = found;
    while (head < found.rev) {
      const listed = await feed.listAfter(SYSTEM, { rev: head, limit: BATCH });
      if (number !== polls) return;
      // Skip changes committed after the position was read: the changes to callers that precede them are not known yet.
      const changes = listed.filter(({ rev }) => rev <= found.rev);
      const newest = changes.at(-1)?.rev;
      if (newest === undefined || changes[0]?.rev !== head + 1n) {
        // The changes were removed by age before they were read here.
        restart(found);
        break;
      }
      buffer.push(changes);
      head = newest;
      try {
        observer.onChanges(changes);
      } catch (error) {
        // Some were taken in, and others not.
        restart(found);
        onError(error);
        break;
      }
      if (onDelay !== undefined) for (const { occurredAt } of changes) onDelay(Date.now() - occurredAt.getTime());
      waiters.notifyAll();
    }
    verified = doubts;
    verifiedAt = startedAt;
  };

  const polling = createRerun(() => withTimeout(poll(), POLL_TIMEOUT_MS));

  const pollQuietly = (): void => {
    polling.run().catch((error: unknown) => {
      if (!isClosed) onError(error);
    });
  };

  const onBeyond = (rev: bigint, timeoutMs: number, signal: AbortSignal, callback: () => void): void => {
    if (head > rev || signal.aborted) callback();
    else waiters.wait(timeoutMs, signal, callback);
  };

  return {
    async start(): Promise<void> {
      position = await readPosition().catch((error: unknown) => {
        // Some PostgreSQL-compatible services do not report their history. A service that did not answer may still
        // support it.
        if (!isRefusal(error)) throw error;
        withHistory = false;
        return readPosition();
      });
      head = position.rev;
      listener = await database.listen(CHANNEL, (payload) => {
        notifications += 1;
        // A numeric payload is a revision. Anything else may concern callers.
        if (!/^\d+$/.test(payload ?? '')) callerNotifications += 1;
        pollQuietly();
      });
      timer = setInterval(pollQuietly, POLL_MS);
      timer.unref();
    },

    /**
     * Returns undefined when memory is known to match the database; otherwise a promise of a poll that started after
     * this call. Without notifications every call polls: slower, but never more stale.
     *
     * Local writes are counted too, so changes made through this process are always visible.
     */
    fresh: () => freshOf('all'),

    /**
     * Like `fresh`, but only for callers (users, credentials, sealing), and ignoring local writes that have not been
     * notified yet. For subscriptions: each change read here comes with all changes to callers that were committed
     * before it, so a subscription does not need to wait for later ones.
     */
    freshCallers: () => freshOf('callers'),

    /** Identifies the database and its history. */
    epoch: (): string => position.epoch,

    /** The revision of the newest change that was read. */
    head: (): bigint => head,

    /** Counts the restarts of the feed. When it changes, consumers must start again. */
    resets: (): number => resets,

    /**
     * Increases when a user, a credential or a sealed value changes. While it is unchanged and `fresh` returns
     * undefined, roles, statuses and credentials are unchanged too.
     */
    callerVersion: (): bigint => position.callerVersion,

    /** Identifies the state in memory: two equal stamps mean that nothing changed in between. */
    stamp: (): string => `${position.epoch} ${resets} ${head} ${position.callerVersion}`,

    /** Reads the current position of the database. */
    position: readPosition,

    /** Whether the changes after a revision are in memory. */
    isBuffered: (rev: bigint): boolean => rev >= head || buffer.readAfter(rev, 0) !== undefined,

    /** The changes after a revision. Undefined when they are no longer in memory. */
    readBuffered: (rev: bigint, limit: number): ConfigChangeRecord[] | undefined =>
      rev >= head ? [] : buffer.readAfter(rev, limit),

    /** The changes after a revision. Those that are no longer in memory come without their config. */
    async readAfter(rev: bigint, limit: number): Promise<ConfigChangeRecord[]> {
      if (rev >= head) return [];
      const buffered = buffer.readAfter(rev, limit);
      if (buffered !== undefined) return buffered;
      return (await feed.listAfter(SYSTEM, { rev, limit, withConfigs: false })).filter((change) => change.rev <= head);
    },

    /** Resolves when this process has read up to a revision that exists in the database. */
    async reach(rev: bigint): Promise<void> {
      const begun = resets;
      while (head < rev && resets === begun) await polling.run();
    },

    /** Calls back when there is a change after this revision, on timeout, or on abort. */
    onBeyond,

    /** Resolves when there is a change after this revision, on timeout, or on abort. */
    waitBeyond: (rev: bigint, timeoutMs: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => onBeyond(rev, timeoutMs, signal, resolve)),

    /** Removes changes older than a date. @returns how many were removed */
    expire: (before: Date): Promise<number> => feed.removeBefore(SYSTEM, { before }),

    /** How far this process has read. */
    status: (): FeedStatus => ({
      rev: head,
      databaseRev: position.rev,
      isListening: listener?.isConnected() ?? false,
      verifiedMsAgo: performance.now() - verifiedAt,
    }),

    /** @throws Error when no notifications arrive and the database does not answer */
    assertFresh(): void {
      if (listener?.isConnected() === true) return;
      if (performance.now() - verifiedAt > 5 * POLL_MS) throw new Error('the change feed cannot be read');
    },

    async close(): Promise<void> {
      isClosed = true;
      clearInterval(timer);
      await listener?.close();
      await polling.settle();
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
