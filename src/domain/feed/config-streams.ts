import type { Memory } from '../../data/memory/memory.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import { unauthenticated, validationFailed } from '../../errors.ts';
import { assertCan, can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { followViewer, type RenewViewer } from '../credentials/viewer-renewal.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { type ConfigEvent, toConfigEvent } from './config-event.ts';
import { cursorExpired, cursorOfAnother, type FeedPlace, formatFeedCursor, parseFeedCursor } from './feed-cursor.ts';
import { createStreamRegistry, type StreamRegistry } from './stream-registry.ts';

/** How a stream begins. */
export interface SubscribeArgs {
  /** A cursor: go on after it. */
  after?: string | undefined;
  /** Begin with everything that is visible. */
  includeInitial?: boolean | undefined;
}

/** What bounds streams. */
export interface StreamLimits {
  maxStreams: number;
  maxStreamsPerUser: number;
  /** A stream ends by itself after this long; its client goes on with another one. */
  maxAgeMs: number;
  /** A stream whose client takes nothing for so long is ended. */
  maxStallMs: number;
  /** A bookmark is sent at least so often. */
  bookmarkMs: number;
  /** Viewers are looked at again at least so often. */
  renewMs: number;
}

/** What a gateway has unless it is told otherwise. */
export const STREAM_LIMITS: StreamLimits = {
  maxStreams: 20_000,
  maxStreamsPerUser: 2_000,
  maxAgeMs: 3_600_000,
  maxStallMs: 60_000,
  bookmarkMs: 10_000,
  renewMs: 3_000,
};

const BATCH = 100;

/** Streams of config events. */
export type ConfigStreams = ReturnType<typeof createConfigStreams>;

/** Makes them. */
export function createConfigStreams(options: {
  memory: Memory;
  renewViewer: RenewViewer;
  experiments: ReadonlySet<Experiment>;
  limits?: Partial<StreamLimits>;
  now: () => Date;
}) {
  const { memory, renewViewer, experiments, now } = options;
  const { reader, store } = memory;
  const limits = { ...STREAM_LIMITS, ...options.limits };
  const registry: StreamRegistry = createStreamRegistry(limits);

  /** Where a stream begins, and whether with the configs that there are. */
  const findBeginning = async (args: SubscribeArgs): Promise<FeedPlace & { isInitial: boolean }> => {
    if (args.includeInitial === true) return { rev: (await memory.configs()).rev, isInitial: true };
    const position = await reader.position();
    if (args.after === undefined) return { rev: position.rev, isInitial: false };
    const place = parseFeedCursor(args.after, position);
    return { ...place, isInitial: place.initialAfter !== undefined };
  };

  /**
   * The configs that there are, by id: it never changes, so that who is cut off in the middle can go on there. What
   * changed since he began comes with the changes.
   */
  const listInitial = async (after = ''): Promise<McpServerConfigRecord[]> => {
    const snapshot = await memory.configs();
    const configs = snapshot.all().filter(({ id }) => id > after);
    return configs.sort((a, b) => (a.id < b.id ? -1 : 1));
  };

  async function* run(initial: Viewer, args: SubscribeArgs, signal: AbortSignal): AsyncGenerator<ConfigEvent> {
    let viewer = initial;
    const follow = followViewer(initial, { renewViewer, changes: reader, now });
    /** The viewer as he is now. @throws UNAUTHENTICATED when he is nobody by now */
    const renew = async (): Promise<Viewer> => {
      const renewed = await follow();
      if (renewed.kind === 'nobody') throw unauthenticated('You are signed out, or suspended: the stream ends.');
      return renewed;
    };
    const epoch = reader.epoch();
    const resets = reader.resets();
    const toBookmark = (at: bigint): ConfigEvent => ({
      cursor: formatFeedCursor(epoch, { rev: at }),
      type: 'BOOKMARK',
      configId: null,
      config: null,
      changedFields: [],
      occurredAt: now(),
      viewer,
    });

    const { isInitial, ...place } = await findBeginning(args);
    let { rev } = place;
    if (isInitial) {
      for (const config of await listInitial(place.initialAfter)) {
        if (signal.aborted) return;
        viewer = await renew();
        if (!can(viewer, 'mcpServerConfig.read', { enabled: config.enabled })) continue;
        const { id: configId, updatedAt: occurredAt } = config;
        // Who is cut off here goes on here.
        const cursor = formatFeedCursor(epoch, { rev, initialAfter: configId });
        yield { cursor, type: 'ADDED', configId, config, changedFields: [], occurredAt, viewer };
      }
    }
    if (isInitial || args.after === undefined) yield toBookmark(rev);
    let lastSentAt = performance.now();
    while (!signal.aborted) {
      const changes = await reader.readAfter(rev, BATCH);
      if (reader.epoch() !== epoch) throw cursorOfAnother();
      if (reader.resets() !== resets) throw cursorExpired();
      if (changes.length > 0) {
        if (changes[0]?.rev !== rev + 1n) throw cursorExpired();
        for (const change of changes) {
          // Who he is counts when the event is made, not when the batch was read: he may take his time between two.
          viewer = await renew();
          const isOwn = change.kind === 'connection' && change.userId === viewerUserId(viewer);
          const current = isOwn ? await store.configs.findById(viewer, { id: change.configId }) : null;
          const event = toConfigEvent(change, viewer, current);
          ({ rev } = change);
          if (event === null) continue;
          const { configId, occurredAt } = change;
          yield { ...event, cursor: formatFeedCursor(epoch, { rev }), configId, occurredAt, viewer };
          lastSentAt = performance.now();
          if (signal.aborted) return;
        }
        continue;
      }
      if (performance.now() - lastSentAt >= limits.bookmarkMs) {
        yield toBookmark(rev);
        lastSentAt = performance.now();
        continue;
      }
      await reader.waitBeyond(rev, limits.renewMs, signal);
      if (!signal.aborted) viewer = await renew();
    }
  }

  return {
    /**
     * Where the feed is, as far as this process has read: for `after`, by a client that reads a list. Ask before the
     * list is read: what changes in between comes again, and nothing is lost.
     */
    cursor: (): string => formatFeedCursor(reader.epoch(), { rev: reader.head() }),

    /**
     * A stream of what the viewer sees change. It goes at the pace of whoever reads it: nothing is queued for him.
     *
     * @throws EXPERIMENT_DISABLED, VALIDATION_FAILED, RATE_LIMITED at once; CURSOR_INVALID, CURSOR_EXPIRED and
     *   UNAUTHENTICATED with the first or a later event
     */
    subscribe(viewer: Viewer, args: SubscribeArgs): AsyncIterableIterator<ConfigEvent> {
      assertCan(viewer, 'feed.subscribe');
      assertExperiment(experiments, 'agents');
      if (args.after !== undefined && args.includeInitial === true) {
        const message = 'Give either "after" or "includeInitial".';
        throw validationFailed([{ path: ['includeInitial'], code: 'INVALID_TYPE', message }]);
      }
      const userId = viewerUserId(viewer);
      if (userId === undefined) throw unauthenticated();
      return registry.open(userId, (signal) => run(viewer, args, signal));
    },

    /** Ends all streams, so that their clients go on elsewhere. */
    endAll: registry.endAll,

    /** Streams that are open. */
    count: registry.count,
  };
}
