import type { Memory } from '../../data/memory/memory.ts';
import { unauthenticated, validationFailed } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { RenewViewer } from '../credentials/viewer-renewal.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import type { ConfigEvent } from './config-event.ts';
import { type StreamTimes, type SubscribeArgs, streamConfigEvents } from './config-stream.ts';
import { formatFeedCursor } from './feed-cursor.ts';
import { createStreamRegistry, type RegistryLimits } from './stream-registry.ts';

/** What bounds streams. */
export interface StreamLimits extends RegistryLimits, StreamTimes {
  /** WebSockets are pinged so often; who does not answer until the next ping is dropped, and who is nobody by now, too. */
  heartbeatMs: number;
}

/** What a gateway has unless it is told otherwise. */
export const STREAM_LIMITS: StreamLimits = {
  maxStreams: 20_000,
  maxStreamsPerUser: 2_000,
  maxAgeMs: 3_600_000,
  bookmarkMs: 10_000,
  renewMs: 3_000,
  maxOutageMs: 30_000,
  heartbeatMs: 12_000,
};

/** Streams of config events. */
export type ConfigStreams = ReturnType<typeof createConfigStreams>;

/** Makes them. */
export function createConfigStreams(options: {
  memory: Memory;
  renewViewer: RenewViewer;
  experiments: ReadonlySet<Experiment>;
  limits?: Partial<StreamLimits> | undefined;
  /** Told of each event that is made for a client. */
  onEvent?: (type: ConfigEvent['type']) => void;
  now: () => Date;
}) {
  const { memory, renewViewer, experiments, onEvent, now } = options;
  const { reader } = memory;
  const limits = { ...STREAM_LIMITS, ...options.limits };
  const registry = createStreamRegistry(limits);
  const source = { memory, renewViewer, onEvent, times: limits, now };

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
      return registry.open(userId, (signal) => streamConfigEvents(source, viewer, args, signal));
    },

    /** Ends all streams, so that their clients go on elsewhere; those that are opened from now on end at once. */
    endAll: registry.endAll,

    /** Streams that are open. */
    count: registry.count,
  };
}
