import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, unauthenticated, validationFailed } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { RenewViewer } from '../credentials/viewer-renewal.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { type ConfigEvent, toConfigEvent } from './config-event.ts';
import { formatFeedCursor, parseFeedCursor } from './feed-cursor.ts';
import type { FeedReader } from './feed-reader.ts';
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
/** Configs that are read at once for a stream's beginning. */
const PIECE = 500;

/** Streams of config events. */
export type ConfigStreams = ReturnType<typeof createConfigStreams>;

/** Makes them. */
export function createConfigStreams(options: {
  store: Store;
  reader: FeedReader;
  renewViewer: RenewViewer;
  experiments: ReadonlySet<Experiment>;
  limits?: Partial<StreamLimits>;
  now: () => Date;
}) {
  const { store, reader, renewViewer, experiments, now } = options;
  const limits = { ...STREAM_LIMITS, ...options.limits };
  const registry: StreamRegistry = createStreamRegistry(limits);

  /** The viewer as he is now. @throws UNAUTHENTICATED when he is nobody by now */
  const renew = async (viewer: Viewer): Promise<Viewer> => {
    const renewed = await renewViewer(viewer);
    if (renewed.kind === 'nobody') throw unauthenticated('You are signed out, or suspended: the stream ends.');
    return renewed;
  };

  async function* run(initial: Viewer, args: SubscribeArgs, signal: AbortSignal): AsyncGenerator<ConfigEvent> {
    let viewer = initial;
    let rev: bigint;
    const epoch = reader.epoch();
    const bookmark = (): ConfigEvent => ({
      cursor: formatFeedCursor(epoch, rev),
      type: 'BOOKMARK',
      configId: null,
      config: null,
      changedFields: [],
      occurredAt: now(),
      viewer,
    });
    if (args.includeInitial === true) {
      const moment = await store.atOneMoment(async (tx) => ({
        position: await tx.feed.position(SYSTEM, undefined),
        configs: await listVisible(tx, viewer),
      }));
      rev = moment.position.rev;
      const cursor = formatFeedCursor(epoch, rev);
      for (const config of moment.configs) {
        if (signal.aborted) return;
        const occurredAt = config.updatedAt;
        yield { cursor, type: 'ADDED', configId: config.id, config, changedFields: [], occurredAt, viewer };
      }
      yield bookmark();
    } else if (args.after !== undefined) {
      rev = parseFeedCursor(args.after, await reader.position());
    } else {
      ({ rev } = await reader.position());
      yield bookmark();
    }
    let lastSentAt = performance.now();
    while (!signal.aborted) {
      const changes = await reader.readAfter(rev, BATCH);
      if (changes.length > 0) {
        if (changes[0]?.rev !== rev + 1n) throw expiredMeanwhile();
        for (const change of changes) {
          // Who he is counts when the event is made, not when the batch was read: he may take his time between two.
          viewer = await renew(viewer);
          const isOwn = change.kind === 'connection' && change.userId === viewerUserId(viewer);
          const current = isOwn ? await store.configs.findById(viewer, { id: change.configId }) : null;
          const event = toConfigEvent(change, viewer, current);
          ({ rev } = change);
          if (event === null) continue;
          const { configId, occurredAt } = change;
          yield { ...event, cursor: formatFeedCursor(epoch, rev), configId, occurredAt, viewer };
          lastSentAt = performance.now();
          if (signal.aborted) return;
        }
        continue;
      }
      if (performance.now() - lastSentAt >= limits.bookmarkMs) {
        yield bookmark();
        lastSentAt = performance.now();
        continue;
      }
      await reader.waitBeyond(rev, limits.renewMs, signal);
      if (!signal.aborted) viewer = await renew(viewer);
    }
  }

  return {
    /**
     * Where the feed is, as far as this process has read: for `after`, by a client that reads a list. Ask before the
     * list is read: what changes in between comes again, and nothing is lost.
     */
    cursor: (): string => formatFeedCursor(reader.epoch(), reader.head()),

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

async function listVisible(tx: Pick<Store, 'configs'>, viewer: Viewer): Promise<McpServerConfigRecord[]> {
  const all: McpServerConfigRecord[] = [];
  for (;;) {
    const last = all.at(-1);
    const after = last === undefined ? undefined : { displayName: last.displayName, id: last.id };
    const page = await tx.configs.list(viewer, { first: PIECE, after });
    all.push(...page.rows);
    if (!page.hasMore) return all;
  }
}

function expiredMeanwhile(): DomainError {
  return new DomainError('CURSOR_EXPIRED', 'You are too far behind; begin anew with "includeInitial".');
}
