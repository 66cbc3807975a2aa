import type { ObjectParam } from '@pothos/core';
import { builder } from '../builder.ts';

/** Adds `feedCursor` to the payload of a mutation whose change is in the feed. */
export function addFeedCursor(payload: ObjectParam<typeof builder.$inferSchemaTypes>): void {
  builder.objectField(payload, 'feedCursor', (t) =>
    t.string({
      nullable: true,
      description:
        'A position in the change feed after this change, to pass as `after` to `mcpServerConfigEvents`. Null, with an error, if the database stopped answering after the change was made.',
      resolve: (_payload, _args, { viewer, services }) => services.streams.cursorAfterWrites(viewer),
    }),
  );
}
