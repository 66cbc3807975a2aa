import type { ConfigEvent } from '../../domain/feed/config-event.ts';
import { builder } from '../builder.ts';
import { McpServerConfigEventType } from './type.ts';

builder.subscriptionFields((t) => ({
  mcpServerConfigEvents: t.field({
    type: McpServerConfigEventType,
    description:
      'Streams changes to the configs that the viewer may see: from now on, from a cursor (`after`), or starting with a snapshot (`includeInitial`). No change is lost: after a disconnect, a subscriber resumes with `after`.',
    args: {
      after: t.arg.string({
        required: false,
        description:
          'Resume after this cursor: that of the last event or bookmark received. Changes from before the stream show the config as it is now.',
      }),
      includeInitial: t.arg.boolean({
        required: false,
        defaultValue: false,
        description:
          'Start with a snapshot: an ADDED event for each visible config, then a BOOKMARK, then the changes.',
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
