import type { ChatVersions } from '../domain/chats/chat-service.ts';
import type { Services } from '../domain/services.ts';
import type { Viewer } from '../policy/viewer.ts';
import { OperationBudget } from './budget/operation-budget.ts';
import { createLoaders, type Loaders } from './loaders.ts';

/** What is known of an answer that is kept. */
export interface KeptOperation {
  /** The answer is the same as long as this is, */
  stamp: string;
  /** and these are. */
  chats: ChatVersions | undefined;
  operation: { name: string; type: string };
}

/** What the HTTP room hands over with each operation. */
export interface GraphQLServerContext {
  viewer: Viewer;
  requestId: string;
  /** Whether the answer may be a stream of events. */
  acceptsEvents: boolean;
  /** Told of each root field that was refused, with the code. */
  onDenied: (operation: string, code: string) => void;
  /** Told of an answer that is kept. */
  onKept?: ((answer: KeptOperation) => void) | undefined;
  /** Aborts when the caller goes away. Asked for only by what takes long: making one costs time. */
  gone: () => AbortSignal;
}

/** What every resolver gets: who calls, the services, and the loaders of this one operation. */
export interface GraphQLContext extends GraphQLServerContext {
  services: Services;
  loaders: Loaders;
  /** The chats that the answer depends on, as they were read for it. */
  chatVersions: Map<string, string>;
  /** What this operation may still cost. */
  budget: OperationBudget;
}

/** Makes the context of one operation. */
export function createContext(services: Services, server: GraphQLServerContext): GraphQLContext {
  const { viewer, requestId, acceptsEvents, onDenied, gone } = server;
  const budget = new OperationBudget();
  const loaders = createLoaders(services, viewer, budget);
  return { viewer, requestId, acceptsEvents, onDenied, gone, services, loaders, budget, chatVersions: new Map() };
}
