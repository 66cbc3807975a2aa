import type { McpServerConfigRecord } from '../../data/records.ts';
import {
  CONFIG_ORDERS,
  CONFIG_SORTS,
  type ConfigOrder,
  type ConfigPlace,
  toPlaceOf,
} from '../../data/repositories/config-repository.ts';
import { validationFailed } from '../../errors.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { decodeCursor, encodeCursor, pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { McpAuthTypeEnum, McpAvailabilityEnum, McpServerStateEnum } from './enums.ts';
import { McpServerConfigType } from './type.ts';
import './usage.ts';

const CURSOR_KIND = 'config';

const McpServerConfigFilter = builder.inputType('McpServerConfigFilter', {
  description: 'Which configs to list. All given conditions must hold.',
  fields: (t) => ({
    enabled: t.boolean({ required: false, description: 'Only enabled configs (true) or only disabled ones (false).' }),
    authType: t.field({ type: McpAuthTypeEnum, required: false, description: 'Only this auth type.' }),
    availability: t.field({ type: McpAvailabilityEnum, required: false, description: 'Only this availability.' }),
    viewerState: t.field({
      type: McpServerStateEnum,
      required: false,
      description: 'Only configs in this state for the viewer, as their `viewerState`.',
    }),
    search: t.string({
      required: false,
      description: 'Only configs whose display name or slug contains this text, ignoring case.',
    }),
  }),
});

const ORDER_DESCRIPTIONS: Readonly<Record<ConfigOrder, string>> = {
  name_asc: 'By display name.',
  name_desc: 'By display name, backwards.',
  created_asc: 'The oldest first.',
  created_desc: 'The newest first.',
  updated_asc: 'Those first that have not changed for longest.',
  updated_desc: 'Those first that changed last.',
};

const McpServerConfigOrder = builder.enumType('McpServerConfigOrder', {
  description: 'How a list of configs is sorted. Cursors belong to the order of their list.',
  values: Object.fromEntries(
    CONFIG_ORDERS.map((order) => [order.toUpperCase(), { value: order, description: ORDER_DESCRIPTIONS[order] }]),
  ) as Record<string, { value: ConfigOrder; description: string }>,
});

const McpServerConfigBy = builder.inputType('McpServerConfigBy', {
  description: 'Identifies a config, by its id or its slug.',
  isOneOf: true,
  fields: (t) => ({
    id: t.field({ type: 'UUID', required: false, description: 'Id of the config.' }),
    slug: t.string({ required: false, description: 'Slug of the config.' }),
  }),
});

const USE_BY = 'Use `by`.';

const McpServerConfigConnection = builder.connectionObject(
  {
    type: McpServerConfigType,
    name: 'McpServerConfigConnection',
    description: 'A page of MCP server configs.',
    fields: (t) => ({
      feedCursor: t.string({
        description:
          'Pass it to `mcpServerConfigEvents(after:)` to receive every change made after this list was read.',
        resolve: (connection) => (connection as unknown as { feedCursor: () => string }).feedCursor(),
      }),
    }),
  },
  { name: 'McpServerConfigEdge', description: 'An MCP server config and its cursor.' },
);

builder.queryFields((t) => ({
  mcpServerConfig: t.field({
    type: McpServerConfigType,
    nullable: true,
    description: 'One config, by id or slug; null if it does not exist or is hidden from the viewer.',
    args: {
      by: t.arg({ type: McpServerConfigBy, required: false, description: 'Which config.' }),
      id: t.arg({ type: 'UUID', required: false, description: 'Id of the config.', deprecationReason: USE_BY }),
      slug: t.arg.string({ required: false, description: 'Slug of the config.', deprecationReason: USE_BY }),
    },
    resolve: (_root, { by, id, slug }, { viewer, services }) => {
      const ways = [by?.id, by?.slug, id, slug].filter((each) => each != null);
      if (ways.length !== 1) {
        throw validationFailed([{ path: ['by'], code: 'REQUIRED', message: 'Give either an id or a slug.' }]);
      }
      const ownId = by?.id ?? id;
      return services.configs.find(viewer, ownId == null ? { slug: by?.slug ?? slug ?? '' } : { id: ownId });
    },
  }),

  mcpServerConfigs: t.field({
    type: McpServerConfigConnection,
    description: 'The configs that the viewer may see.',
    args: {
      ...pageArgs,
      filter: t.arg({ type: McpServerConfigFilter, required: false, description: 'Restricts the list.' }),
      orderBy: t.arg({
        type: McpServerConfigOrder,
        required: false,
        defaultValue: 'name_asc',
        description: 'How the list is sorted.',
      }),
    },
    resolve: async (_root, args, context, info) => {
      const { viewer, services, loaders } = context;
      const filter = {
        enabled: args.filter?.enabled ?? undefined,
        authType: args.filter?.authType ?? undefined,
        availability: args.filter?.availability ?? undefined,
        viewerState: args.filter?.viewerState ?? undefined,
        search: args.filter?.search ?? undefined,
      };
      const order = args.orderBy ?? 'name_asc';
      const feedCursor = services.streams.cursorOfNow(viewer);
      const page = await services.configLists.list(viewer, {
        first: takeFirst(args.first, context),
        after: args.after == null ? undefined : parseCursor(context, args.after, order),
        filter,
        order,
      });
      await loaders.ownConnections.prepare(page.rows, info);
      const connection = toConnection(
        page,
        (config) => encodeCursor(context, toCursorKind(order), [toKey(config, order), config.id]),
        () => services.configLists.count(viewer, filter),
      );
      return { ...connection, feedCursor };
    },
  }),
}));

function toCursorKind(order: ConfigOrder): string {
  return order === 'name_asc' ? CURSOR_KIND : `${CURSOR_KIND} ${order}`;
}

function toKey(config: McpServerConfigRecord, order: ConfigOrder): string {
  const { key } = toPlaceOf(config, order);
  return typeof key === 'string' ? key : key.toISOString();
}

function parseCursor(context: GraphQLContext, cursor: string, order: ConfigOrder): ConfigPlace {
  const [key = '', id = ''] = decodeCursor(context, toCursorKind(order), cursor);
  return { key: CONFIG_SORTS[order].field === 'displayName' ? key : new Date(key), id };
}
