import type { Viewer } from '../../policy/viewer.ts';
import type { Cursors } from '../cursors.ts';
import type { ConfigEvent } from './config-event.ts';
import { type FeedPlace, sealFeedCursor } from './feed-cursor.ts';

/** An event of one stream. A class, because it is small: a thousand streams make one each for every change. */
export class StreamEvent implements ConfigEvent {
  readonly type: ConfigEvent['type'];
  readonly configId: string | null;
  readonly config: ConfigEvent['config'];
  readonly changedFields: readonly string[];
  readonly occurredAt: Date;
  readonly viewer: Viewer;
  readonly place: FeedPlace;
  readonly #cursors: Cursors;

  constructor(
    cursors: Cursors,
    given: Pick<ConfigEvent, 'type' | 'viewer'> & Partial<ConfigEvent>,
    place: FeedPlace,
    now: () => Date,
  ) {
    this.type = given.type;
    this.configId = given.configId ?? null;
    this.config = given.config ?? null;
    this.changedFields = given.changedFields ?? [];
    this.occurredAt = given.occurredAt ?? now();
    this.viewer = given.viewer;
    this.place = place;
    this.#cursors = cursors;
  }

  get cursor(): string {
    return sealFeedCursor(this.#cursors, this.viewer, this.place);
  }
}
