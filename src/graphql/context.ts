import type { ConfigService } from '../domain/configs/config-service.ts';
import type { ConnectionService } from '../domain/connections/connection-service.ts';
import type { ApiTokenService } from '../domain/credentials/api-token-service.ts';
import type { KeyService } from '../domain/keys/key-service.ts';
import type { UserService } from '../domain/users/user-service.ts';
import type { Viewer } from '../policy/viewer.ts';
import { createLoaders, type Loaders } from './loaders.ts';

/** Entries that one operation may ask for, over all its lists: resolving their fields keeps everybody else waiting. */
export const MAX_ENTRIES = 500;

/** What the graph resolves with. */
export interface GraphQLServices {
  configs: ConfigService;
  connections: ConnectionService;
  users: UserService;
  apiTokens: ApiTokenService;
  keys: KeyService;
}

/** What the HTTP room hands over with each operation. */
export interface GraphQLServerContext {
  viewer: Viewer;
  requestId: string;
}

/** What every resolver gets: who calls, the services, and the loaders of this one operation. */
export interface GraphQLContext extends GraphQLServerContext {
  services: GraphQLServices;
  loaders: Loaders;
  /** How many list entries this operation may still ask for. */
  entriesLeft: number;
}

/** Makes the context of one operation. */
export function createContext(services: GraphQLServices, { viewer, requestId }: GraphQLServerContext): GraphQLContext {
  return { viewer, requestId, services, loaders: createLoaders(services, viewer), entriesLeft: MAX_ENTRIES };
}
