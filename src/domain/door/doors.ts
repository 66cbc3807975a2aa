import type { Caches } from '../../cache/caches.ts';
import type { Memory } from '../../data/memory/memory.ts';
import type { Store } from '../../data/store.ts';
import type { Quotas } from '../../limits/quotas.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { ToolServers } from '../catalogue/tool-servers.ts';
import type { RenewViewer } from '../credentials/viewer-renewal.ts';
import type { Experiment } from '../experiments.ts';
import type { UserRates } from '../shares/user-rates.ts';
import type { CallRecords } from '../tool-calls/call-records.ts';
import type { UpstreamCalls } from '../upstreams/upstream-calls.ts';
import type { CallWatch } from './call-watch.ts';
import { createDoor, type Door } from './door.ts';
import { createDoorCalls } from './door-calls.ts';
import { createDoorLists } from './door-lists.ts';
import { createDoorPlaces } from './door-place.ts';
import { createExposedLists } from './exposed-lists.ts';
import type { ItemMemory } from './item-memory.ts';
import { createListedTools } from './listed-tools.ts';

/** Creates what the MCP doors work with. */
export function createDoors(options: {
  memory: Pick<Memory, 'reader'>;
  store: Store;
  renewViewer: RenewViewer;
  experiments: ReadonlySet<Experiment>;
  toolServers: ToolServers;
  catalogue: CatalogueService;
  upstreamCalls: UpstreamCalls;
  records: CallRecords;
  publicUrl: string;
  statusTool: boolean;
  quotas: Quotas;
  userRates: Pick<UserRates, 'takeToolCall' | 'takeServerCall'>;
  watch: CallWatch;
  itemMemory: ItemMemory;
  caches: Caches;
  /** Learns of errors that only make a list shorter. */
  onListError: (error: unknown) => void;
  now: () => Date;
}): Door {
  const { memory, publicUrl, statusTool, quotas } = options;
  const callsPerMinute = quotas.toolCallsPerMinute;
  const connectUrl = (configId: string) => `${publicUrl}/api/experimental/mcp/servers/${configId}/oauth2/connect`;
  return createDoor({
    ...options,
    places: createDoorPlaces({ ...options, callers: memory.reader }),
    calls: createDoorCalls({ ...options, connectUrl }),
    lists: createExposedLists({ ...options, onError: options.onListError }),
    listedTools: createListedTools(options.caches),
    doorLists: createDoorLists(options.caches),
    settleRecords: options.records.settle,
    connectUrl,
    chatUrl: (chatId) => `${publicUrl}/mcp/chats/${chatId}`,
    hasStatusTool: statusTool,
    callsPerMinute,
  });
}
