import DataLoader from 'dataloader';
import type { ApiTokenRecord, ChatRecord, ConnectionRecord, UserRecord } from '../data/records.ts';
import type { ChatServer } from '../domain/chats/effective-servers.ts';
import type { Services } from '../domain/services.ts';
import type { Viewer } from '../policy/viewer.ts';

/** One query for each kind of fact and operation, however many nodes ask. */
export type Loaders = ReturnType<typeof createLoaders>;

/** Makes the loaders of one operation: what they loaded is for this viewer and gone with it. */
export function createLoaders(services: Services, viewer: Viewer) {
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

    /** What applies in a chat. */
    chatServers: new DataLoader<ChatRecord, ChatServer[], string>(
      async (chats) => {
        const byChat = await services.effectiveServers.listByChat(viewer, chats);
        return chats.map(({ id }) => byChat.get(id) ?? []);
      },
      { cacheKeyFn: ({ id }) => id },
    ),

    /** How the viewer himself stands with the server. */
    ownConnection: new DataLoader<string, ConnectionRecord | undefined>(async (configIds) => {
      const connections = await services.connections.listOwn(viewer, configIds);
      return configIds.map((id) => connections.get(id));
    }),
  };
}
