import type { AuditLog } from '../domain/audit/audit-log.ts';
import type { ChatService } from '../domain/chats/chat-service.ts';
import type { EffectiveServers } from '../domain/chats/effective-servers.ts';
import type { ConfigService } from '../domain/configs/config-service.ts';
import type { ConnectionService } from '../domain/connections/connection-service.ts';
import type { ApiTokenService } from '../domain/credentials/api-token-service.ts';
import type { ConfigStreams } from '../domain/feed/config-streams.ts';
import type { ConfigImpacts } from '../domain/governance/config-impact.ts';
import type { ServerExplanations } from '../domain/governance/explain-server.ts';
import type { ServerTransfer } from '../domain/governance/server-transfer.ts';
import type { KeyService } from '../domain/keys/key-service.ts';
import type { UserService } from '../domain/users/user-service.ts';
import type { Viewer } from '../policy/viewer.ts';
import { createLoaders, type Loaders } from './loaders.ts';

/** Entries that one operation may ask for, over all its lists: resolving their fields keeps everybody else waiting. */
export const MAX_ENTRIES = 500;

/** Tells whether what is known of configs, connections and callers is still what it was: equal texts mean yes. */
export interface AnswerStamp {
  /** After whatever has to be asked before memory may be used; mostly that is nothing. */
  fresh(): string | Promise<string>;
  /** As far as is known now. */
  current(): string;
}

/** What the graph resolves with. */
export interface GraphQLServices {
  configs: ConfigService;
  connections: ConnectionService;
  users: UserService;
  apiTokens: ApiTokenService;
  keys: KeyService;
  chats: ChatService;
  effectiveServers: EffectiveServers;
  explanations: ServerExplanations;
  impacts: ConfigImpacts;
  auditLog: AuditLog;
  transfer: ServerTransfer;
  streams: ConfigStreams;
  answerStamp: AnswerStamp;
}

/** What the HTTP room hands over with each operation. */
export interface GraphQLServerContext {
  viewer: Viewer;
  requestId: string;
  /** Whether the answer may be a stream of events. */
  acceptsEvents: boolean;
  /** Told of each root field that was refused, with the code. */
  onDenied: (operation: string, code: string) => void;
}

/** What every resolver gets: who calls, the services, and the loaders of this one operation. */
export interface GraphQLContext extends GraphQLServerContext {
  services: GraphQLServices;
  loaders: Loaders;
  /** How many list entries this operation may still ask for. */
  entriesLeft: number;
}

/** Makes the context of one operation. */
export function createContext(services: GraphQLServices, server: GraphQLServerContext): GraphQLContext {
  const { viewer, requestId, acceptsEvents, onDenied } = server;
  const loaders = createLoaders(services, viewer);
  return { viewer, requestId, acceptsEvents, onDenied, services, loaders, entriesLeft: MAX_ENTRIES };
}
