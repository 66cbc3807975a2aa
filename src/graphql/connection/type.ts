import type { ListedConnection } from '../../domain/connections/connection-list.ts';
import { builder, visibleToOwnerWith } from '../builder.ts';
import { McpServerStateEnum } from '../mcp-server-config/enums.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';
import { decodeCursor, encodeCursor, pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { UserType } from '../user/type.ts';

/** The cursors of one user's list are not those of another's. */
const toCursorKind = (userId: string): string => `mcpServerConnection ${userId}`;

const McpServerConnectionType = builder.objectRef<ListedConnection>('McpServerConnection').implement({
  description:
    "A user's connection to an MCP server: their account there, as the gateway may use it. Tokens are never returned. For admins, auditors, services and the connection's user.",
  fields: (t) => ({
    configId: t.expose('configId', {
      type: 'UUID',
      description: 'Id of the server, also if it is hidden from the viewer. To pass to `disconnectMcpServer`.',
    }),
    config: t.field({
      type: McpServerConfigType,
      nullable: true,
      description: 'The server; null if it is hidden from the viewer.',
      resolve: ({ configId }, _args, { viewer, services }) => services.configs.find(viewer, { id: configId }),
    }),
    state: t.expose('state', {
      type: McpServerStateEnum,
      description: "Whether the connection's user can use the server, and if not, why.",
    }),
    stateReason: t.exposeString('stateReason', {
      nullable: true,
      description:
        'Details about the state, such as why the connection ended; null if there are none. Plain text, not HTML.',
    }),
    connectedAt: t.expose('connectedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the user connected; null if the connection has ended.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the connection ended; null if it has not.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the connection ends by itself; null if it has ended, if the gateway renews it, or if the server did not say.',
    }),
    scopes: t.exposeStringList('scopes', {
      description: 'What the user granted: OAuth 2 scopes. Empty if the connection has ended.',
    }),
  }),
});

const McpServerConnectionConnection = builder.connectionObject(
  {
    type: McpServerConnectionType,
    name: 'McpServerConnectionConnection',
    description: "A page of a user's connections to MCP servers.",
  },
  { name: 'McpServerConnectionEdge', description: 'A connection to an MCP server and its cursor.' },
);

builder.objectFields(UserType, (t) => ({
  connections: t.field({
    type: McpServerConnectionConnection,
    ...visibleToOwnerWith('mcpServerConnection.read'),
    description:
      "The MCP servers that the user has connected their account to, sorted by the server's display name, with connections that the server ended. For admins, auditors, services and the user themselves; null for everybody else.",
    args: pageArgs,
    resolve: async ({ id: userId }, args, context) => {
      const { loaders } = context;
      const kind = toCursorKind(userId);
      const page = await loaders.connectionPage.load({
        userId,
        first: takeFirst(args.first, context),
        after: args.after == null ? undefined : toPlace(decodeCursor(context, kind, args.after)),
      });
      return toConnection(
        page,
        ({ displayName, configId }) => encodeCursor(context, kind, [displayName, configId]),
        () => loaders.connectionCount.load(userId),
      );
    },
  }),
}));

function toPlace([displayName = '', id = '']: readonly string[]) {
  return { displayName, id };
}
