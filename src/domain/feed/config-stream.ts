import { setTimeout as delay } from 'node:timers/promises';
import type { Memory } from '../../data/memory/memory.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import { DomainError, unauthenticated } from '../../errors.ts';
import { can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { followViewer, type RenewViewer } from '../credentials/viewer-renewal.ts';
import { type ConfigEvent, toConfigEvent } from './config-event.ts';
import { cursorExpired, cursorOfAnother, type FeedPlace, formatFeedCursor, parseFeedCursor } from './feed-cursor.ts';

/** How a stream begins. */
export interface SubscribeArgs {
  /** A cursor: go on after it. */
  after?: string | undefined;
  /** Begin with everything that is visible. */
  includeInitial?: boolean | undefined;
}

/** The times that a stream lives by. */
export interface StreamTimes {
  /** A bookmark is sent at least so often. */
  bookmarkMs: number;
  /** Viewers are looked at again at least so often. */
  renewMs: number;
  /** A stream waits so long for a database that does not answer, and sends nothing meanwhile; then it fails. */
  maxOutageMs: number;
}

/** What a stream works with. */
export interface StreamSource {
  memory: Memory;
  renewViewer: RenewViewer;
  times: StreamTimes;
  onEvent?: ((type: ConfigEvent['type']) => void) | undefined;
  now: () => Date;
}

const BATCH = 100;
const RETRY_MS = 500;

/** Before the first config: none was sent yet. */
const NOTHING_SENT = '';

/**
 * One stream of what a viewer sees change, at the pace of whoever reads it.
 *
 * @param signal ends it, as if it were complete
 * @throws CURSOR_INVALID, CURSOR_EXPIRED; UNAUTHENTICATED when the viewer is nobody by now
 */
export async function* streamConfigEvents(
  { memory, renewViewer, times, onEvent, now }: StreamSource,
  viewer: Viewer,
  args: SubscribeArgs,
  signal: AbortSignal,
): AsyncGenerator<ConfigEvent> {
  const { reader } = memory;
  const epoch = reader.epoch();
  const resets = reader.resets();
  const follow = followViewer(viewer, { renewViewer, changes: { ...reader, fresh: reader.freshCallers }, now });
  let lastSentAt = performance.now();

  /**
   * What the work gives, as soon as the database answers: a short outage ends no streams.
   *
   * @param begun the work, where it was begun already
   */
  const patiently = async <Result>(work: () => Result | Promise<Result>, begun?: Promise<Result>): Promise<Result> => {
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
   * The viewer as he is now: what he may see counts when an event is made, and he may take his time between two. Mostly
   * nothing has to be waited for, and thousands of streams do not.
   */
  const findViewer = (): Viewer | Promise<Viewer> => {
    const followed = follow();
    if (followed instanceof Promise) return patiently(follow, followed).then(assertSomebody);
    return assertSomebody(followed);
  };

  const toEvent = (
    event: Pick<ConfigEvent, 'type' | 'viewer'> & Partial<ConfigEvent>,
    place: FeedPlace,
  ): ConfigEvent => {
    lastSentAt = performance.now();
    onEvent?.(event.type);
    const cursor = formatFeedCursor(epoch, place);
    return { configId: null, config: null, changedFields: [], occurredAt: now(), ...event, cursor };
  };

  const isBookmarkDue = (): boolean => performance.now() - lastSentAt >= times.bookmarkMs;

  /** A secret that was sealed anew since is no change: whether it opens is told as of now. */
  const asSealedNow = async (config: McpServerConfigRecord): Promise<McpServerConfigRecord> => {
    const known = (await patiently(memory.configsAtHead)).findById(config.id);
    if (known === undefined) return config;
    return known.version === config.version ? known : { ...config, secretKeyDigests: known.secretKeyDigests };
  };

  /**
   * The changes after one.
   *
   * @param partly as long as not all configs that there are were sent: goes on up to a change, with those that were
   */
  async function* followChanges(after: bigint, partly?: { upTo: bigint; sentUpTo: string }) {
    let rev = after;
    while (!signal.aborted && (partly === undefined || rev < partly.upTo)) {
      const head = reader.head();
      const changes = await patiently(() => reader.readAfter(rev, BATCH));
      if (reader.epoch() !== epoch) throw cursorOfAnother();
      const isGap = changes[0] === undefined ? head > rev : changes[0].rev !== rev + 1n;
      if (reader.resets() !== resets || isGap) throw cursorExpired();
      for (const change of changes) {
        if (partly !== undefined && change.rev > partly.upTo) return;
        ({ rev } = change);
        const isMeant = partly === undefined || change.configId <= partly.sentUpTo;
        const found = findViewer();
        const renewed = found instanceof Promise ? await found : found;
        if (signal.aborted) return;
        // Only his own connection's change lacks a config that is there, and seldom.
        const isLacking = isMeant && change.config === null && change.userId === viewerUserId(renewed);
        const known = isLacking ? (await patiently(memory.configsAtHead)).findById(change.configId) : undefined;
        const event = isMeant ? toConfigEvent(change, renewed, known) : null;
        if (event !== null) {
          const { configId, occurredAt } = change;
          const { config: then } = event;
          const config = then === null || then.secretKeyDigests.length === 0 ? then : await asSealedNow(then);
          const place = { rev, initialAfter: partly?.sentUpTo };
          yield toEvent({ ...event, config, configId, occurredAt, viewer: renewed }, place);
        } else if (partly === undefined && isBookmarkDue()) {
          yield toEvent({ type: 'BOOKMARK', viewer: renewed }, { rev });
        }
      }
      if (changes.length > 0) continue;
      const found = findViewer();
      const renewed = found instanceof Promise ? await found : found;
      if (partly === undefined && isBookmarkDue()) yield toEvent({ type: 'BOOKMARK', viewer: renewed }, { rev });
      await reader.waitBeyond(rev, times.renewMs, signal);
    }
  }

  /**
   * The configs that there are, by id, which never changes: who is cut off goes on where he was. What was sent to him
   * before is brought to the same change as the rest first, so that his mirror is always of one moment.
   *
   * @returns the change that the configs are at
   */
  async function* sendInitial({ rev, initialAfter: sentUpTo = NOTHING_SENT }: FeedPlace) {
    const snapshot = await patiently(memory.configs);
    // Both at once: a moment later the snapshot may be at another change.
    const [upTo, all] = [snapshot.rev, snapshot.all()];
    const rest = all.filter(({ id }) => id > sentUpTo).sort((a, b) => (a.id < b.id ? -1 : 1));
    if (sentUpTo !== NOTHING_SENT) yield* followChanges(rev, { upTo, sentUpTo });
    for (const config of rest) {
      const found = findViewer();
      const renewed = found instanceof Promise ? await found : found;
      if (signal.aborted) return upTo;
      if (!can(renewed, 'mcpServerConfig.read', { enabled: config.enabled })) continue;
      const { id: configId, updatedAt: occurredAt } = config;
      const place = { rev: upTo, initialAfter: configId };
      yield toEvent({ type: 'ADDED', config, configId, occurredAt, viewer: renewed }, place);
    }
    return upTo;
  }

  const place = await patiently(() => findPlace(memory, args));
  // This process may be behind the one that gave the cursor: it goes on when it has what that one had.
  await patiently(() => reader.reach(place.rev));
  const isInitial = place.initialAfter !== undefined;
  const rev = isInitial ? yield* sendInitial(place) : place.rev;
  // Whoever begins now is told from where.
  if (isInitial || args.after === undefined) yield toEvent({ type: 'BOOKMARK', viewer: await findViewer() }, { rev });
  yield* followChanges(rev);
}

/** @throws UNAUTHENTICATED */
function assertSomebody(viewer: Viewer): Viewer {
  if (viewer.kind === 'nobody') throw unauthenticated('You are signed out, or suspended: the stream ends.');
  return viewer;
}

/** Where a stream begins. */
async function findPlace({ reader }: Memory, args: SubscribeArgs): Promise<FeedPlace> {
  const position = await reader.position();
  if (args.after !== undefined) return parseFeedCursor(args.after, position);
  return { rev: position.rev, ...(args.includeInitial === true && { initialAfter: NOTHING_SENT }) };
}
