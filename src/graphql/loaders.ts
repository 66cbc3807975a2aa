import DataLoader from 'dataloader';
import type {
  ApiTokenRecord,
  ChatRecord,
  McpReachabilityRecord,
  McpServerConfigRecord,
  SessionRecord,
  UserRecord,
} from '../data/records.ts';
import type { CatalogueTool } from '../domain/catalogue/catalogue-tool.ts';
import type { DecidedTool } from '../domain/catalogue/tool-decision.ts';
import type { AvailableServer } from '../domain/chats/available-servers.ts';
import type { ChatServer } from '../domain/chats/effective-servers.ts';
import type { Services } from '../domain/services.ts';
import type { ServerUsage } from '../domain/tool-calls/call-usage.ts';
import { notFound } from '../errors.ts';
import type { Viewer } from '../policy/viewer.ts';
import type { OperationBudget } from './budget/operation-budget.ts';
import { createMessagePages } from './chat/message-pages.ts';
import { createConnectionPages } from './connection/connection-pages.ts';
import { createOwnConnections } from './connection/own-connections.ts';

/** One query for each kind of fact and operation, however many nodes ask. */
export type Loaders = ReturnType<typeof createLoaders>;

/** Makes the loaders of one operation: what they loaded is for this viewer and gone with it. */
export function createLoaders(services: Services, viewer: Viewer, budget: OperationBudget) {
  return {
    userById: new DataLoader<string, UserRecord | null>(async (ids) => {
      const users = new Map((await services.users.findByIds(viewer, ids)).map((user) => [user.id, user]));
      return ids.map((id) => users.get(id) ?? null);
    }),

    apiTokensByUserId: new DataLoader<string, ApiTokenRecord[]>(async (userIds) => {
      const byUser = new Map<string, ApiTokenRecord[]>(userIds.map((userId) => [userId, []]));
      for (const token of await services.apiTokens.listByUserIds(viewer, userIds))
        byUser.get(token.userId)?.push(token);
      return userIds.map((userId) => byUser.get(userId) ?? []);
    }),

    sessionsByUserId: new DataLoader<string, SessionRecord[]>(async (userIds) => {
      const byUser = new Map<string, SessionRecord[]>(userIds.map((userId) => [userId, []]));
      for (const session of await services.sessions.listByUserIds(viewer, userIds)) {
        byUser.get(session.userId)?.push(session);
      }
      return userIds.map((userId) => byUser.get(userId) ?? []);
    }),

    connectedUserCount: new DataLoader<string, number>(async (configIds) => {
      const counts = await services.connections.countByConfig(viewer, configIds);
      return configIds.map((id) => counts.get(id) ?? 0);
    }),

    /** Makes the list of what applies in a chat. */
    chatServers: new DataLoader<ChatRecord, () => ChatServer[], string>(
      async (chats) => {
        const toServers = await services.effectiveServers.readForChats(viewer, chats);
        return chats.map((chat) => () => toServers(chat));
      },
      { cacheKeyFn: ({ id }) => id },
    ),

    /** The tools of a server, as the viewer has them. */
    serverTools: new DataLoader<McpServerConfigRecord, readonly DecidedTool[], string>(
      async (configs) => {
        const tools = await services.catalogue.listTools(viewer, configs);
        return configs.map(({ id }) => tools.get(id) ?? []);
      },
      { cacheKeyFn: ({ id }) => id },
    ),

    reachability: new DataLoader<string, McpReachabilityRecord | null>(async (configIds) => {
      const found = await services.catalogue.listReachability(configIds);
      return configIds.map((id) => found.get(id) ?? null);
    }),

    usage: new DataLoader<string, ServerUsage | undefined>(async (configIds) => {
      const found = await services.callUsage.read(viewer, configIds);
      return configIds.map((id) => found.get(id));
    }),

    /** Whether a tool of another server looks the same by its name. Staff only: members know only their own servers. */
    isLookAlike: new DataLoader<CatalogueTool, boolean>((tools) => services.catalogue.findLookAlikes(viewer, tools)),

    /** Makes the list of what can be chosen for a chat. */
    availableServers: new DataLoader<ChatRecord, () => AvailableServer[], string>(
      async (chats) => {
        const toServers = await services.availableServers.readForChats(viewer, chats);
        return chats.map((chat) => () => toServers(chat));
      },
      { cacheKeyFn: ({ id }) => id },
    ),

    connectionPage: createConnectionPages(services, viewer),

    connectionCount: new DataLoader<string, number>(async (userIds) => {
      const counts = await services.connectionList.count(viewer, userIds);
      return userIds.map((id) => counts.get(id) ?? 0);
    }),

    messagePage: createMessagePages(services, viewer),

    messageCount: new DataLoader<ChatRecord, number, string>(
      async (chats) => {
        const counts = await services.chats.countMessages(viewer, chats);
        return chats.map(({ id }) => counts.get(id) ?? 0);
      },
      { cacheKeyFn: ({ id }) => id },
    ),

    /** The text of a listed message. */
    messageContent: new DataLoader<string, string>(async (ids) => {
      // Refused after the first of them were asked for.
      if (budget.refusal !== undefined) return ids.map(() => '');
      const contents = await services.chats.findContents(viewer, ids);
      // Deleted since it was listed.
      return ids.map((id) => contents.get(id) ?? notFound('message'));
    }),

    /** The viewer's own connections to servers. */
    ownConnections: createOwnConnections(services, viewer),
  };
}
