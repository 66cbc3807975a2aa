import type { Store } from '../../data/store.ts';
import type { Quotas } from '../../limits/quotas.ts';
import type { ConnectionService } from '../connections/connection-service.ts';
import type { Experiment } from '../experiments.ts';
import { createAvailableServers } from './available-servers.ts';
import { createChatService } from './chat-service.ts';
import { createEffectiveServers } from './effective-servers.ts';

/** Creates the services of chats. */
export function createChats(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  connections: ConnectionService;
  quotas: Quotas;
}) {
  return {
    chats: createChatService(options),
    effectiveServers: createEffectiveServers(options),
    availableServers: createAvailableServers(options),
  };
}
