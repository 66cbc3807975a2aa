import type { FeedStatus } from '../../data/memory/feed-reader.ts';
import { type GatewayStatus, MAX_NAMED_SERVERS } from '../../domain/governance/gateway-status.ts';
import { builder } from '../builder.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';

const ChangeFeedStatusType = builder.objectRef<FeedStatus>('ChangeFeedStatus').implement({
  description: 'How far the replica that answers has read the changes of all replicas.',
  fields: (t) => ({
    isListening: t.exposeBoolean('isListening', {
      description:
        'Whether the database notifies the replica of changes. If not, the replica looks for them each second.',
    }),
    unreadCount: t.int({
      description: 'Number of changes that the replica has not read yet.',
      resolve: ({ rev, databaseRev }) => Math.max(Number(databaseRev - rev), 0),
    }),
    lagMs: t.int({
      description:
        'Milliseconds since the replica last knew every change: what it shows is at most that old. Normally at most about 1,000, because it looks each second.',
      resolve: ({ verifiedMsAgo }) => Math.min(Math.round(verifiedMsAgo), MAX_INT),
    }),
  }),
});

const MAX_INT = 2 ** 31 - 1;

/** `GatewayStatus` */
export const GatewayStatusType = builder.objectRef<GatewayStatus>('GatewayStatus').implement({
  description: 'What an operator looks at first. For admins and auditors.',
  fields: (t) => ({
    connectionCount: t.exposeInt('connectionCount', {
      description: 'Number of connections of all users to all servers.',
    }),
    unreachableServerCount: t.exposeInt('unreachableServerCount', {
      description: 'Number of enabled servers that did not answer the last call.',
    }),
    unreachableServers: t.field({
      type: [McpServerConfigType],
      description: `The enabled servers that did not answer the last call, by display name. At most ${MAX_NAMED_SERVERS}.`,
      resolve: ({ unreachableServers }) => unreachableServers,
    }),
    changeFeed: t.field({
      type: ChangeFeedStatusType,
      description: 'How far the replica that answers has read the changes.',
      resolve: ({ feed }) => feed,
    }),
  }),
});
