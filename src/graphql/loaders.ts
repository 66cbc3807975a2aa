import DataLoader from 'dataloader';
import type { ApiTokenRecord, UserRecord } from '../data/records.ts';
import type { Viewer } from '../policy/viewer.ts';
import type { GraphQLServices } from './context.ts';

/** One query for each kind of fact and operation, however many nodes ask. */
export type Loaders = ReturnType<typeof createLoaders>;

/** Makes the loaders of one operation: what they loaded is for this viewer and gone with it. */
export function createLoaders(services: GraphQLServices, viewer: Viewer) {
  return {
    userById: new DataLoader<string, UserRecord | null>(async (ids) => {
      const users = new Map((await services.users.findByIds(viewer, ids)).map((user) => [user.id, user]));
      return ids.map((id) => users.get(id) ?? null);
    }),

    apiTokensByUserId: new DataLoader<string, ApiTokenRecord[]>(async (userIds) => {
      const tokens = await services.apiTokens.listByUserIds(viewer, userIds);
      return userIds.map((userId) => tokens.filter((token) => token.userId === userId));
    }),

    connectedUserCount: new DataLoader<string, number>(async (configIds) => {
      const counts = await services.connections.countByConfig(viewer, configIds);
      return configIds.map((id) => counts.get(id) ?? 0);
    }),

    /** Whether the viewer has a token of his own at the server. */
    hasOwnToken: new DataLoader<string, boolean>(async (configIds) => {
      const connected = await services.connections.listOwnConnected(viewer, configIds);
      return configIds.map((id) => connected.has(id));
    }),
  };
}
