import { SYSTEM } from '../../policy/viewer.ts';
import type { Database, Listener } from '../database/database.ts';
import { isRefusal } from '../database/database-error.ts';
import type { ConfigChangeRecord } from '../records.ts';
import type { FeedPosition } from '../repositories/feed-repository.ts';
import type { Repositories } from '../store.ts';
import { createChangeBuffer } from './change-buffer.ts';
import { createRerun } from './rerun.ts';
import { createSleepers } from './sleepers.ts';

const CHANNEL = 'gatehouse_feed';
/** The slow way to notice changes, beside notifications. */
const POLL_MS = 1_000;
/** What was not compared with the database for so long is compared before it is used, whatever the listener thinks. */
const MAX_UNVERIFIED_MS = 2_000;
/** A look that takes longer is given up, so that the next can be over another connection. */
const LOOK_TIMEOUT_MS = 5_000;
const BATCH = 1_000;

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

/** Numbers that go up with everything after which the database has to be asked. */
interface Doubts {
  all: number;
  /** What may be about users, their credentials, or the sealing of values. */
  callers: number;
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
  /** Up to `head`. */
  const buffer = createChangeBuffer();
  const sleepers = createSleepers();
  let notifications = 0;
  /** Those among them that may be about callers. */
  let callerNotifications = 0;
  let looks = 0;
  let looked: Doubts = { all: -1, callers: -1 };
  let verified: Doubts = looked;
  let verifiedAt = Number.NEGATIVE_INFINITY;

  const countDoubts = (): Doubts => ({ all: notifications + database.writeCount(), callers: callerNotifications });

  /** Notifications come, and not long ago all was as the database has it. */
  const isTold = (): boolean => listener?.isConnected() === true && performance.now() - verifiedAt < MAX_UNVERIFIED_MS;

  const freshOf = (kind: keyof Doubts): Promise<void> | undefined => {
    const told = isTold();
    const doubts = countDoubts()[kind];
    if (told && verified[kind] === doubts) return undefined;
    const current = told && looked[kind] === doubts ? looking.current() : undefined;
    return current ?? looking.run();
  };

  const askPosition = (): Promise<FeedPosition> => feed.position(SYSTEM, { withHistory });

  const beginAnew = (next: FeedPosition): void => {
    resets += 1;
    buffer.clear();
    position = next;
    head = next.rev;
    observer.onForget();
    sleepers.wakeAll();
  };

  const look = async (): Promise<void> => {
    if (isClosed) throw new Error('the change feed is closed');
    looks += 1;
    const number = looks;
    const doubts = countDoubts();
    looked = doubts;
    const startedAt = performance.now();
    const found = await askPosition();
    // One that was given up may still get its answer, when another has looked long since.
    if (number !== looks) return;
    if (found.epoch !== position.epoch || found.rev < head) beginAnew(found);
    else if (found.touches !== position.touches) observer.onForget();
    position = found;
    while (head < found.rev) {
      const listed = await feed.listAfter(SYSTEM, { rev: head, limit: BATCH });
      if (number !== looks) return;
      // Not what was committed since the position was read: what of callers came before it is not known yet.
      const changes = listed.filter(({ rev }) => rev <= found.rev);
      const newest = changes.at(-1)?.rev;
      if (newest === undefined || changes[0]?.rev !== head + 1n) {
        // They were removed by age before they were read here.
        beginAnew(found);
        break;
      }
      buffer.push(changes);
      head = newest;
      observer.onChanges(changes);
      if (onDelay !== undefined) for (const { occurredAt } of changes) onDelay(Date.now() - occurredAt.getTime());
      sleepers.wakeAll();
    }
    verified = doubts;
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
      position = await askPosition().catch((error: unknown) => {
        // Not every service that speaks PostgreSQL tells its history. One that does not answer may well do.
        if (!isRefusal(error)) throw error;
        withHistory = false;
        return askPosition();
      });
      head = position.rev;
      listener = await database.listen(CHANNEL, (payload) => {
        notifications += 1;
        // The number of a change; whatever else it is may be about anything.
        if (!/^\d+$/.test(payload ?? '')) callerNotifications += 1;
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
    fresh: () => freshOf('all'),

    /**
     * The same for who callers are, less what was written through this process and is not heard of yet. For streams:
     * whoever reads changes here has, with each, what of callers was committed before it, and does not wait for changes
     * that come after it.
     */
    freshCallers: () => freshOf('callers'),

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
      const buffered = buffer.readAfter(rev, limit);
      if (buffered !== undefined) return buffered;
      return (await feed.listAfter(SYSTEM, { rev, limit })).filter((change) => change.rev <= head);
    },

    /** Resolves when this process has read a change that is in the database. */
    async reach(rev: bigint): Promise<void> {
      const begun = resets;
      while (head < rev && resets === begun) await looking.run();
    },

    /** Resolves when there is a change after this one, or the time is over, or the signal says so. */
    async waitBeyond(rev: bigint, timeoutMs: number, signal: AbortSignal): Promise<void> {
      if (head <= rev && !signal.aborted) await sleepers.sleep(timeoutMs, signal);
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
