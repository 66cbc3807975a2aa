import type { ConfigEvent } from '../../domain/feed/config-event.ts';
import { builder } from '../builder.ts';
import { McpServerConfigEventType } from './type.ts';

builder.subscriptionFields((t) => ({
  mcpServerConfigEvents: t.field({
    type: McpServerConfigEventType,
    description:
      'What the viewer sees change, from now on, after a cursor, or beginning with all that there is. Loses nothing: who is cut off goes on with `after`.',
    args: {
      after: t.arg.string({ required: false, description: 'The cursor of the last event or bookmark that arrived.' }),
      includeInitial: t.arg.boolean({
        required: false,
        defaultValue: false,
        description: 'Send ADDED for all that is visible, then a BOOKMARK, then the changes.',
      }),
    },
    subscribe: (_root, { after, includeInitial }, { viewer, services }): AsyncIterable<ConfigEvent> =>
      services.streams.subscribe(viewer, {
        after: after ?? undefined,
        includeInitial: includeInitial ?? undefined,
      }),
    resolve: (event) => event,
  }),
}));
