import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigSnapshot } from '../../data/memory/config-snapshot.ts';
import type { Memory } from '../../data/memory/memory.ts';
import type { ConfigChangeRecord } from '../../data/records.ts';
import { DomainError, unauthenticated } from '../../errors.ts';
import { can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { ViewerFollowing } from '../credentials/viewer-renewal.ts';
import type { Cursors } from '../cursors.ts';
import type { CatchUp } from './catch-up.ts';
import { type ConfigEvent, concernsViewer, toConfigEvent } from './config-event.ts';
import { cursorExpired, cursorInvalid, type FeedPlace, openFeedCursor } from './feed-cursor.ts';
import { StreamEvent } from './stream-event.ts';
import { type Step, settled } from './supply.ts';

/** Where a subscription starts. */
export interface SubscribeArgs {
  /** Continue after this cursor. */
  after?: string | undefined;
  /** Start with everything that is visible. */
  includeInitial?: boolean | undefined;
}

/** The timing of a stream, in milliseconds. */
export interface StreamTimes {
  /** The maximum time between two events; a bookmark is sent if there is no other event. */
  bookmarkMs: number;
  /** The maximum time between two checks of the viewer. */
  renewMs: number;
  /** How long a stream waits while the database does not respond. It sends nothing meanwhile, and fails afterwards. */
  maxOutageMs: number;
}

/** The dependencies of a stream. */
export interface StreamSource {
  memory: Memory;
  cursors: Cursors;
  followViewer: ViewerFollowing;
  catchUp: CatchUp;
  times: StreamTimes;
  onEvent?: ((type: ConfigEvent['type']) => void) | undefined;
  now: () => Date;
}

const BATCH = 100;
/** A change that is older than this when it is sent is shown like one from before the stream. */
const RECENT_MS = 60_000;
const RETRY_MS = 500;

/** The position before the first config: none was sent yet. */
const NOTHING_SENT = '';

/**
 * Streams the changes that a viewer may see, at the reader's pace.
 *
 * @param args.openedAt the newest change when the stream was opened
 * @param signal ends the stream normally
 * @throws CURSOR_INVALID, CURSOR_EXPIRED; UNAUTHENTICATED when the viewer's user or credential is no longer valid
 */
export function* streamConfigEvents(
  { memory, cursors, followViewer, catchUp, times, onEvent, now }: StreamSource,
  viewer: Viewer,
  args: SubscribeArgs & { openedAt: bigint },
  signal: AbortSignal,
): Generator<Step<ConfigEvent>, void, unknown> {
  const { reader } = memory;
  const epoch = reader.epoch();
  const resets = reader.resets();
  const follow = followViewer(viewer);
  const userId = viewerUserId(viewer) ?? '';
  let lastSentAt = performance.now();
  /** Changes up to here show the present config: they are from before the stream, or a later config was shown already. */
  let shownRev = args.openedAt;

  /**
   * Retries `work` while the database is down, so that a short outage does not end streams.
   *
   * @param begun the first attempt, if it has already started
   */
  const retryDuringOutage = async <Result>(
    work: () => Result | Promise<Result>,
    begun?: Promise<Result>,
  ): Promise<Result> => {
    const deadline = performance.now() + times.maxOutageMs;
    for (let current = begun; ; current = undefined) {
      try {
        return await (current ?? work());
      } catch (error) {
        if (error instanceof DomainError || performance.now() > deadline || signal.aborted) throw error;
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  /**
   * Returns the viewer's current state. It is checked for every event, because permissions may change between two
   * reads. Usually synchronous, so that thousands of streams do not wait.
   */
  const findViewer = (): Viewer | Promise<Viewer> => {
    const followed = follow();
    if (followed instanceof Promise) return retryDuringOutage(follow, followed).then(assertSomebody);
    return assertSomebody(followed);
  };

  const toEvent = (
    given: Pick<ConfigEvent, 'type' | 'viewer'> & Partial<ConfigEvent>,
    position: FeedPlace,
  ): ConfigEvent => {
    lastSentAt = performance.now();
    onEvent?.(given.type);
    const { rev, initialAfter } = position;
    return new StreamEvent(cursors, given, { rev, initialAfter, shownRev: rev > shownRev ? rev : shownRev }, now);
  };

  const isBookmarkDue = (): boolean => performance.now() - lastSentAt >= times.bookmarkMs;

  /**
   * Returns the config to show for a change. A change that has just happened shows what it made. An old one never does:
   * it shows the present config, so that the kill switch and deletion also take content back from those who read old
   * changes. Once a present config was shown, the changes up to it show present ones too: a subscriber never goes back.
   */
  const toShown = (change: ConfigChangeRecord, { rev, findById }: ConfigSnapshot) => {
    const present = findById(change.configId);
    const { config } = change;
    const isOld = change.rev <= shownRev || now().getTime() - change.occurredAt.getTime() > RECENT_MS;
    // A change that is no longer in memory comes without its config.
    if (isOld || config === undefined) {
      if (rev > shownRev) shownRev = rev;
      return present;
    }
    if (config === null || present === undefined) return config ?? present;
    // Resealing a secret is not a change, but whether it opens must be current.
    return present.version === config.version ? present : { ...config, secretKeyDigests: present.secretKeyDigests };
  };

  /** Returns the configs in memory. Usually synchronous, so that thousands of streams do not wait. */
  const findConfigs = (): ConfigSnapshot | Promise<ConfigSnapshot> => {
    const configs = memory.configsAtHead();
    return configs instanceof Promise ? retryDuringOutage(memory.configsAtHead, configs) : configs;
  };

  /** Changes that are not in memory are read in turn with those of other streams. */
  const readAfter = async (rev: bigint): Promise<ConfigChangeRecord[]> => {
    const isCatchingUp = rev < args.openedAt;
    if (isCatchingUp) await catchUp.turn(userId);
    const read = () => retryDuringOutage(() => reader.readAfter(rev, BATCH));
    return isCatchingUp && !reader.isBuffered(rev) ? catchUp.read(userId, read) : read();
  };

  /**
   * Streams the changes after a revision.
   *
   * @param partly set while the initial configs have not all been sent: stops at a revision, and covers only the
   *   configs already sent
   */
  function* followChanges(
    after: bigint,
    partly?: { upTo: bigint; sentUpTo: string },
  ): Generator<Step<ConfigEvent>, void, unknown> {
    let rev = after;
    const wait = (callback: () => void): void => reader.onBeyond(rev, times.renewMs, signal, callback);
    while (!signal.aborted && (partly === undefined || rev < partly.upTo)) {
      const head = reader.head();
      // Those in memory without a promise, so that thousands of streams do not wait.
      const buffered = rev < args.openedAt ? undefined : reader.readBuffered(rev, BATCH);
      const changes = buffered ?? (yield* settled(readAfter(rev)));
      if (reader.epoch() !== epoch) throw cursorInvalid();
      const isGap = changes[0] === undefined ? head > rev : changes[0].rev !== rev + 1n;
      if (reader.resets() !== resets || isGap) throw cursorExpired();
      for (const change of changes) {
        if (partly !== undefined && change.rev > partly.upTo) return;
        ({ rev } = change);
        const isMeant = partly === undefined || change.configId <= partly.sentUpTo;
        const isEventPossible = isMeant && concernsViewer(change, viewer);
        // Before the viewer is looked up: their rights may change while they wait.
        if (isEventPossible && rev <= args.openedAt) yield catchUp.turn(userId);
        const found = findViewer();
        const renewed = found instanceof Promise ? yield* settled(found) : found;
        if (signal.aborted) return;
        const read = isEventPossible ? findConfigs() : undefined;
        const configs = read instanceof Promise ? yield* settled(read) : read;
        const event = configs === undefined ? null : toConfigEvent(change, renewed, toShown(change, configs));
        if (event !== null) {
          const { type, config, changedFields } = event;
          const { configId, occurredAt } = change;
          const given = { type, config, changedFields, configId, occurredAt, viewer: renewed };
          yield toEvent(given, { rev, initialAfter: partly?.sentUpTo });
        } else if (partly === undefined && isBookmarkDue()) {
          yield toEvent({ type: 'BOOKMARK', viewer: renewed }, { rev });
        }
      }
      if (changes.length > 0) continue;
      const found = findViewer();
      const renewed = found instanceof Promise ? yield* settled(found) : found;
      if (partly === undefined && isBookmarkDue()) yield toEvent({ type: 'BOOKMARK', viewer: renewed }, { rev });
      yield wait;
    }
  }

  /**
   * Sends the existing configs in order of id, which never changes, so that an interrupted subscriber can resume.
   * Configs sent before the interruption are first brought to the same revision as the rest, so that the subscriber's
   * copy is consistent.
   *
   * @returns the revision of the sent configs
   */
  function* sendInitial({
    rev,
    initialAfter: sentUpTo = NOTHING_SENT,
  }: FeedPlace): Generator<Step<ConfigEvent>, bigint, unknown> {
    const snapshot = yield* settled(retryDuringOutage(memory.configs));
    // Read both together: a moment later the snapshot may be at another revision.
    const [upTo, all] = [snapshot.rev, snapshot.all()];
    const rest = all.filter(({ id }) => id > sentUpTo).sort((a, b) => (a.id < b.id ? -1 : 1));
    if (sentUpTo !== NOTHING_SENT) yield* followChanges(rev, { upTo, sentUpTo });
    for (const config of rest) {
      yield catchUp.turn(userId);
      const found = findViewer();
      const renewed = found instanceof Promise ? yield* settled(found) : found;
      if (signal.aborted) return upTo;
      const read = findConfigs();
      const present = (read instanceof Promise ? yield* settled(read) : read).findById(config.id);
      // One that was hidden or deleted since is left out. Its removal follows.
      const isVisible = [config, present].every(
        (state) => state !== undefined && can(renewed, 'mcpServerConfig.read', { enabled: state.enabled }),
      );
      if (!isVisible) continue;
      const { id: configId, updatedAt: occurredAt } = config;
      const place = { rev: upTo, initialAfter: configId };
      yield toEvent({ type: 'ADDED', config, configId, occurredAt, viewer: renewed }, place);
    }
    return upTo;
  }

  const place = yield* settled(retryDuringOutage(() => findPlace(memory, cursors, viewer, args)));
  // This replica may be behind the one that issued the cursor. Wait until it has caught up.
  const { rev: afterRev, shownRev: shown = afterRev } = place;
  if (shown > shownRev) shownRev = shown;
  yield retryDuringOutage(() => reader.reach(shown));
  const isInitial = place.initialAfter !== undefined;
  const rev = isInitial ? yield* sendInitial(place) : place.rev;
  // Send new subscribers their starting position, and those who have missed nothing that they have not: who waits for a
  // change of their own at another replica then knows that this one has made it.
  const isCurrent = place.rev >= args.openedAt;
  if (isInitial || args.after === undefined || isCurrent)
    yield toEvent({ type: 'BOOKMARK', viewer: yield* settled(Promise.resolve(findViewer())) }, { rev });
  yield* followChanges(rev);
}

/** @throws UNAUTHENTICATED */
function assertSomebody(viewer: Viewer): Viewer {
  if (viewer.kind === 'nobody')
    throw unauthenticated('Your session has ended or your user is suspended, so the stream has ended.');
  return viewer;
}

/** The position where a stream starts. */
async function findPlace(
  { reader }: Memory,
  cursors: Cursors,
  viewer: Viewer,
  args: SubscribeArgs,
): Promise<FeedPlace> {
  const position = await reader.position();
  if (position.epoch !== reader.epoch()) throw cursorInvalid();
  if (args.after !== undefined) return openFeedCursor(cursors, viewer, args.after, position);
  return { rev: position.rev, ...(args.includeInitial === true && { initialAfter: NOTHING_SENT }) };
}
