import { validationFailed } from '../../errors.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { decodeCursor, encodeCursor, pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { McpAuthTypeEnum, McpAvailabilityEnum } from './enums.ts';
import { McpServerConfigType } from './type.ts';

const CURSOR_KIND = 'config';

const McpServerConfigFilter = builder.inputType('McpServerConfigFilter', {
  description: 'Which configs to list. All given conditions must hold.',
  fields: (t) => ({
    enabled: t.boolean({ required: false, description: 'Only enabled configs (true) or only disabled ones (false).' }),
    authType: t.field({ type: McpAuthTypeEnum, required: false, description: 'Only this auth type.' }),
    availability: t.field({ type: McpAvailabilityEnum, required: false, description: 'Only this availability.' }),
    search: t.string({
      required: false,
      description: 'Only configs whose display name or slug contains this text, ignoring case.',
    }),
  }),
});

const McpServerConfigConnection = builder.connectionObject(
  {
    type: McpServerConfigType,
    name: 'McpServerConfigConnection',
    description: 'A page of MCP server configs.',
    fields: (t) => ({
      feedCursor: t.string({
        description:
          'Pass it to `mcpServerConfigEvents(after:)` to receive every change made after this list was read.',
        resolve: (connection) => (connection as unknown as { feedCursor: string }).feedCursor,
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
      id: t.arg({ type: 'UUID', required: false, description: 'Id of the config. Give either this or `slug`.' }),
      slug: t.arg.string({ required: false, description: 'Slug of the config. Give either this or `id`.' }),
    },
    resolve: (_root, { id, slug }, { viewer, services }) => {
      if (id != null && slug == null) return services.configs.find(viewer, { id });
      if (slug != null && id == null) return services.configs.find(viewer, { slug });
      throw validationFailed([{ path: ['id'], code: 'REQUIRED', message: 'Give either "id" or "slug".' }]);
    },
  }),

  mcpServerConfigs: t.field({
    type: McpServerConfigConnection,
    description: 'The configs that the viewer may see, sorted by display name.',
    args: {
      ...pageArgs,
      filter: t.arg({ type: McpServerConfigFilter, required: false, description: 'Restricts the list.' }),
    },
    resolve: async (_root, args, context) => {
      const { viewer, services } = context;
      const filter = {
        enabled: args.filter?.enabled ?? undefined,
        authType: args.filter?.authType ?? undefined,
        availability: args.filter?.availability ?? undefined,
        search: args.filter?.search ?? undefined,
      };
      const feedCursor = services.streams.cursor(viewer);
      const page = await services.configs.list(viewer, {
        first: takeFirst(args.first, context),
        after: args.after == null ? undefined : parseCursor(context, args.after),
        filter,
      });
      const connection = toConnection(
        page,
        (config) => encodeCursor(context, CURSOR_KIND, [config.displayName, config.id]),
        () => services.configs.count(viewer, filter),
      );
      return { ...connection, feedCursor };
    },
  }),
}));

function parseCursor(context: GraphQLContext, cursor: string) {
  const [displayName = '', id = ''] = decodeCursor(context, CURSOR_KIND, cursor);
  return { displayName, id };
}
