import { CONFIG_EVENT_TYPES, type ConfigEvent } from '../../domain/feed/config-event.ts';
import { builder } from '../builder.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';

const DESCRIPTIONS = {
  ADDED: 'The viewer sees it from now on.',
  MODIFIED: 'It changed, or the viewer connected or disconnected.',
  REMOVED: 'The viewer does not see it any more: it is hidden, or gone.',
  BOOKMARK: 'Nothing happened; go on from this cursor.',
} as const;

const McpServerConfigEventTypeEnum = builder.enumType('McpServerConfigEventType', {
  description: 'What a viewer sees happen to a config.',
  values: Object.fromEntries(
    CONFIG_EVENT_TYPES.map((value) => [value, { value, description: DESCRIPTIONS[value] }]),
  ) as Record<(typeof CONFIG_EVENT_TYPES)[number], { value: (typeof CONFIG_EVENT_TYPES)[number]; description: string }>,
});

/** `McpServerConfigEvent` */
export const McpServerConfigEventType = builder.objectRef<ConfigEvent>('McpServerConfigEvent').implement({
  description: 'A change of a config as its viewer sees it.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Go on after this event with `after`.' }),
    type: t.expose('type', { type: McpServerConfigEventTypeEnum, description: 'What happened.' }),
    configId: t.expose('configId', { type: 'UUID', nullable: true, description: 'Which config; null for a bookmark.' }),
    config: t.field({
      type: McpServerConfigType,
      nullable: true,
      description: 'The config as it was after the change; null when it is removed, and for a bookmark.',
      resolve: ({ config }) => config,
    }),
    changedFields: t.exposeStringList('changedFields', {
      description: 'Names of the fields that changed, those that the viewer sees.',
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When.' }),
  }),
});
