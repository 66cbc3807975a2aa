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

/** Whose operation it is, and what it may cost. */
interface Operation {
  services: Services;
  viewer: Viewer;
  budget: OperationBudget;
}

/** Makes each loader. */
const MAKERS = {
  userById: ({ services, viewer }: Operation) =>
    new DataLoader<string, UserRecord | null>(async (ids) => {
      const users = new Map((await services.users.findByIds(viewer, ids)).map((user) => [user.id, user]));
      return ids.map((id) => users.get(id) ?? null);
    }),

  apiTokensByUserId: ({ services, viewer }: Operation) =>
    new DataLoader<string, ApiTokenRecord[]>(async (userIds) => {
      const byUser = new Map<string, ApiTokenRecord[]>(userIds.map((userId) => [userId, []]));
      for (const token of await services.apiTokens.listByUserIds(viewer, userIds))
        byUser.get(token.userId)?.push(token);
      return userIds.map((userId) => byUser.get(userId) ?? []);
    }),

  sessionsByUserId: ({ services, viewer }: Operation) =>
    new DataLoader<string, SessionRecord[]>(async (userIds) => {
      const byUser = new Map<string, SessionRecord[]>(userIds.map((userId) => [userId, []]));
      for (const session of await services.sessions.listByUserIds(viewer, userIds)) {
        byUser.get(session.userId)?.push(session);
      }
      return userIds.map((userId) => byUser.get(userId) ?? []);
    }),

  connectedUserCount: ({ services, viewer }: Operation) =>
    new DataLoader<string, number>(async (configIds) => {
      const counts = await services.connections.countByConfig(viewer, configIds);
      return configIds.map((id) => counts.get(id) ?? 0);
    }),

  /** Makes the list of what applies in a chat. */
  chatServers: ({ services, viewer }: Operation) =>
    new DataLoader<ChatRecord, () => ChatServer[], string>(
      async (chats) => {
        const toServers = await services.effectiveServers.readForChats(viewer, chats);
        return chats.map((chat) => () => toServers(chat));
      },
      { cacheKeyFn: ({ id }) => id },
    ),

  /** The tools of a server, as the viewer has them. */
  serverTools: ({ services, viewer }: Operation) =>
    new DataLoader<McpServerConfigRecord, readonly DecidedTool[], string>(
      async (configs) => {
        const tools = await services.catalogue.listTools(viewer, configs);
        return configs.map(({ id }) => tools.get(id) ?? []);
      },
      { cacheKeyFn: ({ id }) => id },
    ),

  reachability: ({ services }: Operation) =>
    new DataLoader<string, McpReachabilityRecord | null>(async (configIds) => {
      const found = await services.catalogue.listReachability(configIds);
      return configIds.map((id) => found.get(id) ?? null);
    }),

  usage: ({ services, viewer }: Operation) =>
    new DataLoader<string, ServerUsage | undefined>(async (configIds) => {
      const found = await services.callUsage.read(viewer, configIds);
      return configIds.map((id) => found.get(id));
    }),

  /** Whether a tool of another server looks the same by its name. Staff only: members know only their own servers. */
  isLookAlike: ({ services, viewer }: Operation) =>
    new DataLoader<CatalogueTool, boolean>((tools) => services.catalogue.findLookAlikes(viewer, tools)),

  /** Makes the list of what can be chosen for a chat. */
  availableServers: ({ services, viewer }: Operation) =>
    new DataLoader<ChatRecord, () => AvailableServer[], string>(
      async (chats) => {
        const toServers = await services.availableServers.readForChats(viewer, chats);
        return chats.map((chat) => () => toServers(chat));
      },
      { cacheKeyFn: ({ id }) => id },
    ),

  connectionPage: ({ services, viewer }: Operation) => createConnectionPages(services, viewer),

  connectionCount: ({ services, viewer }: Operation) =>
    new DataLoader<string, number>(async (userIds) => {
      const counts = await services.connectionList.count(viewer, userIds);
      return userIds.map((id) => counts.get(id) ?? 0);
    }),

  messagePage: ({ services, viewer }: Operation) => createMessagePages(services, viewer),

  messageCount: ({ services, viewer }: Operation) =>
    new DataLoader<ChatRecord, number, string>(
      async (chats) => {
        const counts = await services.chats.countMessages(viewer, chats);
        return chats.map(({ id }) => counts.get(id) ?? 0);
      },
      { cacheKeyFn: ({ id }) => id },
    ),

  /** The text of a listed message. */
  messageContent: ({ services, viewer, budget }: Operation) =>
    new DataLoader<string, string>(async (ids) => {
      // Refused after the first of them were asked for.
      if (budget.refusal !== undefined) return ids.map(() => '');
      const contents = await services.chats.findContents(viewer, ids);
      // Deleted since it was listed.
      return ids.map((id) => contents.get(id) ?? notFound('message'));
    }),

  /** The viewer's own connections to servers. */
  ownConnections: ({ services, viewer }: Operation) => createOwnConnections(services, viewer),
};

/** One query for each kind of fact and operation, however many nodes ask. */
export type Loaders = { readonly [Name in keyof typeof MAKERS]: ReturnType<(typeof MAKERS)[Name]> };

/** The loaders of one operation. Each is made when it is first asked for: most operations need none, or one. */
class LazyLoaders {
  readonly operation: Operation;

  constructor(operation: Operation) {
    this.operation = operation;
  }
}

for (const [name, make] of Object.entries(MAKERS)) {
  Object.defineProperty(LazyLoaders.prototype, name, {
    get(this: LazyLoaders) {
      const value: unknown = make(this.operation);
      Object.defineProperty(this, name, { value });
      return value;
    },
  });
}

/** Makes the loaders of one operation: what they loaded is for this viewer and gone with it. */
export function createLoaders(services: Services, viewer: Viewer, budget: OperationBudget): Loaders {
  return new LazyLoaders({ services, viewer, budget }) as LazyLoaders & Loaders;
}
