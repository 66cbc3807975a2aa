import { GraphQLScalarType } from 'graphql';
import type { McpServerConfig, PrismaClient } from '../../src/data/generated/client.ts';

export interface ApolloContext {
  prisma: PrismaClient;
  userId: string;
}

type Row = Omit<McpServerConfig, 'oauth2ClientSecret' | 'apiKeyValue' | 'customHeaders'> & { isConnected: boolean };

export const typeDefs = `#graphql
  scalar UUID
  scalar DateTime
  enum McpAuthType { NONE OAUTH2 API_KEY CUSTOM_HEADERS }
  enum McpAvailability { FORCE_ON DEFAULT_ON DEFAULT_OFF }
  enum McpServerState { READY NEEDS_CONNECT }
  type McpServerConfig {
    id: UUID!
    slug: String!
    displayName: String!
    description: String!
    iconUrl: String
    authType: McpAuthType!
    availability: McpAvailability!
    enabled: Boolean!
    toolAllowList: [String!]!
    toolDenyList: [String!]!
    hasOAuth2Secret: Boolean!
    hasApiKey: Boolean!
    hasCustomHeaders: Boolean!
    authConnected: Boolean!
    viewerState: McpServerState!
    version: Int!
    createdAt: DateTime!
    updatedAt: DateTime!
  }
  type McpServerConfigConnection { nodes: [McpServerConfig!]! }
  enum ChatMcpServerSource { FORCED SELECTED }
  type ChatMcpServer { source: ChatMcpServerSource! config: McpServerConfig! }
  type Chat { mcpServers: [ChatMcpServer!]! }
  type Query {
    mcpServerConfigs(first: Int = 50): McpServerConfigConnection!
    chat(id: UUID!): Chat
  }
`;

export const resolvers = {
  DateTime: new GraphQLScalarType<Date, string>({
    name: 'DateTime',
    serialize: (value) => (value as Date).toISOString(),
  }),
  McpAuthType: { NONE: 'none', OAUTH2: 'oauth2', API_KEY: 'api_key', CUSTOM_HEADERS: 'custom_headers' },
  McpAvailability: { FORCE_ON: 'force_on', DEFAULT_ON: 'default_on', DEFAULT_OFF: 'default_off' },
  Query: {
    mcpServerConfigs: async (_root: unknown, { first }: { first: number }, { prisma, userId }: ApolloContext) => {
      const rows = await prisma.mcpServerConfig.findMany({
        where: { enabled: true },
        orderBy: [{ displayName: 'asc' }, { id: 'asc' }],
        take: first,
        omit: { oauth2ClientSecret: true, apiKeyValue: true, customHeaders: true },
      });
      const tokens = await prisma.mcpServerUserToken.findMany({
        where: { userId, mcpServerConfigId: { in: rows.filter(needsConnection).map(({ id }) => id) } },
        select: { mcpServerConfigId: true },
      });
      const connected = new Set(tokens.map(({ mcpServerConfigId }) => mcpServerConfigId));
      const nodes = rows.map((row): Row => ({ ...row, isConnected: !needsConnection(row) || connected.has(row.id) }));
      return { nodes };
    },
    chat: (_root: unknown, { id }: { id: string }, { prisma, userId }: ApolloContext) =>
      prisma.chat.findFirst({ where: { id, ownerId: userId } }),
  },
  Chat: {
    mcpServers: async ({ mcpServerIds }: { mcpServerIds: string[] }, _args: unknown, { prisma }: ApolloContext) => {
      const configs = await prisma.mcpServerConfig.findMany({
        where: { enabled: true, OR: [{ availability: 'force_on' }, { id: { in: mcpServerIds } }] },
        orderBy: [{ displayName: 'asc' }, { id: 'asc' }],
        omit: { oauth2ClientSecret: true, apiKeyValue: true, customHeaders: true },
      });
      return configs.map((config) => ({
        source: config.availability === 'force_on' ? 'FORCED' : 'SELECTED',
        config,
      }));
    },
  },
  McpServerConfig: {
    iconUrl: (row: Row) => row.iconUrl || null,
    hasOAuth2Secret: (row: Row) => row.oauth2ClientSecretKeyId !== null,
    hasApiKey: (row: Row) => row.apiKeyValueKeyId !== null,
    hasCustomHeaders: (row: Row) => row.customHeadersKeyId !== null,
    authConnected: (row: Row) => row.isConnected,
    viewerState: (row: Row) => (row.isConnected ? 'READY' : 'NEEDS_CONNECT'),
  },
};

function needsConnection({ authType }: { authType: string }): boolean {
  return authType === 'oauth2';
}
