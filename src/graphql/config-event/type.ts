import { CONFIG_EVENT_TYPES, type ConfigEvent } from '../../domain/feed/config-event.ts';
import { builder } from '../builder.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';

const DESCRIPTIONS = {
  ADDED: 'The viewer can see the config from now on.',
  MODIFIED: 'The config changed, or the viewer connected or disconnected their account.',
  REMOVED: 'The viewer can no longer see the config: it was hidden from them or deleted.',
  BOOKMARK: 'Nothing changed. Carries a newer cursor to resume from.',
} as const;

const McpServerConfigEventTypeEnum = builder.enumType('McpServerConfigEventType', {
  description: 'What happened to a config, as the viewer sees it.',
  values: Object.fromEntries(
    CONFIG_EVENT_TYPES.map((value) => [value, { value, description: DESCRIPTIONS[value] }]),
  ) as Record<(typeof CONFIG_EVENT_TYPES)[number], { value: (typeof CONFIG_EVENT_TYPES)[number]; description: string }>,
});

/** `McpServerConfigEvent` */
export const McpServerConfigEventType = builder.objectRef<ConfigEvent>('McpServerConfigEvent').implement({
  description: 'A change to a config, as the viewer sees it.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', {
      description: 'Position of this event. Pass it as `after` to resume after this event.',
    }),
    type: t.expose('type', { type: McpServerConfigEventTypeEnum, description: 'What happened.' }),
    configId: t.expose('configId', {
      type: 'UUID',
      nullable: true,
      description: 'Id of the config; null for a bookmark.',
    }),
    config: t.field({
      type: McpServerConfigType,
      nullable: true,
      description:
        'The config after the change, or as it is now if the change is from before the stream; null for REMOVED and BOOKMARK.',
      resolve: ({ config }) => config,
    }),
    changedFields: t.exposeStringList('changedFields', {
      description: 'Names of the changed fields that the viewer may see.',
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When the change happened.' }),
  }),
});
