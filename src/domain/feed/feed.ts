import type { Memory } from '../../data/memory/memory.ts';
import type { RenewViewer } from '../credentials/viewer-renewal.ts';
import type { Cursors } from '../cursors.ts';
import type { Experiment } from '../experiments.ts';
import { createAnswerStamp } from './answer-stamp.ts';
import type { ConfigEvent } from './config-event.ts';
import { createConfigStreams, type StreamLimits } from './config-streams.ts';

/** Creates the services of the change feed. */
export function createFeed(options: {
  memory: Memory;
  cursors: Cursors;
  renewViewer: RenewViewer;
  secrets: { stamp(): string };
  expiry: { stamp(): string };
  experiments: ReadonlySet<Experiment>;
  limits: Partial<StreamLimits> | undefined;
  onEvent: (type: ConfigEvent['type']) => void;
  now: () => Date;
}) {
  return {
    streams: createConfigStreams(options),
    answerStamp: createAnswerStamp(options.memory.reader, options),
  };
}
