import type { Memory } from '../../data/memory/memory.ts';
import { unauthenticated, validationFailed } from '../../errors.ts';
import { CONNECTION_LIMITS } from '../../limits/connection-limits.ts';
import { assertCan } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { createViewerFollowing, type RenewViewer } from '../credentials/viewer-renewal.ts';
import type { Cursors } from '../cursors.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { createCatchUp } from './catch-up.ts';
import type { ConfigEvent } from './config-event.ts';
import { type StreamTimes, type SubscribeArgs, streamConfigEvents } from './config-stream.ts';
import { sealFeedCursor } from './feed-cursor.ts';
import { createStreamRegistry, type RegistryLimits } from './stream-registry.ts';
import type { IterableSupply } from './supply.ts';

/** The limits of streams. */
export interface StreamLimits extends RegistryLimits, StreamTimes {
  /**
   * The interval of WebSocket pings. A client that does not answer before the next ping is disconnected, and so is a
   * client whose credential is no longer valid.
   */
  heartbeatMs: number;
}

/** The default limits of a gateway. */
export const STREAM_LIMITS: StreamLimits = {
  maxStreams: CONNECTION_LIMITS.streams.value,
  maxStreamsPerUser: CONNECTION_LIMITS.streamsPerUser.value,
  maxAgeMs: CONNECTION_LIMITS.streamAge.value,
  bookmarkMs: 10_000,
  renewMs: 3_000,
  maxOutageMs: CONNECTION_LIMITS.outage.value,
  heartbeatMs: CONNECTION_LIMITS.heartbeat.value,
};

/** Streams the changes of configs. */
export type ConfigStreams = ReturnType<typeof createConfigStreams>;

/** Creates the service. */
export function createConfigStreams(options: {
  memory: Memory;
  cursors: Cursors;
  renewViewer: RenewViewer;
  experiments: ReadonlySet<Experiment>;
  limits?: Partial<StreamLimits> | undefined;
  /** Called for each event that is created for a client. */
  onEvent?: (type: ConfigEvent['type']) => void;
  now: () => Date;
}) {
  const { memory, cursors, renewViewer, experiments, onEvent, now } = options;
  const { reader } = memory;
  const limits = { ...STREAM_LIMITS, ...options.limits };
  const registry = createStreamRegistry(limits);
  const followViewer = createViewerFollowing({
    renewViewer,
    changes: { ...reader, fresh: reader.freshCallers },
    now,
  });
  const source = { memory, cursors, followViewer, catchUp: createCatchUp(), onEvent, times: limits, now };

  return {
    /**
     * Takes the place of the newest change that this process has read, and seals it as a cursor if it is asked for. A client
     * that reads a list passes the cursor as `after`. Take it before reading the list: changes made in between are repeated,
     * but none is lost.
     */
    cursorOfNow(viewer: Viewer): () => string {
      const rev = reader.head();
      return () => sealFeedCursor(cursors, viewer, { rev });
    },

    /** A cursor after every change that this process has made. */
    async cursorAfterWrites(viewer: Viewer): Promise<string> {
      await reader.fresh();
      return sealFeedCursor(cursors, viewer, { rev: reader.head() });
    },

    /**
     * Streams the changes that the viewer may see, at the reader's pace: nothing is queued.
     *
     * @throws EXPERIMENT_DISABLED, VALIDATION_FAILED, RATE_LIMITED immediately; CURSOR_INVALID, CURSOR_EXPIRED and
     *   UNAUTHENTICATED with the first or a later event
     */
    subscribe(viewer: Viewer, args: SubscribeArgs): IterableSupply<ConfigEvent> {
      assertCan(viewer, 'feed.subscribe');
      assertExperiment(experiments, 'agents');
      if (args.after !== undefined && args.includeInitial === true) {
        const message = 'Pass either "after" or "includeInitial", not both.';
        throw validationFailed([{ path: ['includeInitial'], code: 'INVALID_TYPE', message }]);
      }
      const userId = viewerUserId(viewer);
      if (userId === undefined) throw unauthenticated();
      const openedAt = reader.head();
      return registry.open(userId, (signal) => streamConfigEvents(source, viewer, { ...args, openedAt }, signal));
    },

    /** Ends all streams, so that clients reconnect elsewhere. Streams opened from now on end immediately. */
    endAll: registry.endAll,

    /** The number of open streams. */
    count: registry.count,
  };
}
