import type { Caches } from '../../cache/caches.ts';
import type { Memory } from '../../data/memory/memory.ts';
import type { EffectiveServers } from '../chats/effective-servers.ts';
import type { ConnectionService } from '../connections/connection-service.ts';
import type { CallWatch } from '../door/call-watch.ts';
import type { Experiment } from '../experiments.ts';
import type { UserRates } from '../shares/user-rates.ts';
import type { UpstreamCalls } from '../upstreams/upstream-calls.ts';
import { createCatalogueService } from './catalogue-service.ts';
import { createEffectiveTools } from './effective-tools.ts';
import { followChanges } from './follow-changes.ts';
import { createImportedApprovals } from './imported-approvals.ts';
import { createNeededListings } from './list-when-needed.ts';
import { createToolListeners } from './tool-listeners.ts';
import { createToolListings } from './tool-listing.ts';
import { createToolServers } from './tool-servers.ts';
import type { UpstreamTools } from './upstream-tools.ts';

/** Creates what knows the tools of servers. `start` begins to list what changes; call `close` at the end. */
export function createCatalogue(options: {
  memory: Memory;
  caches: Caches;
  experiments: ReadonlySet<Experiment>;
  connections: ConnectionService;
  effectiveServers: EffectiveServers;
  upstream: UpstreamTools;
  listen: UpstreamCalls['listen'];
  watch: CallWatch;
  listsInBackground: boolean;
  onListingError: (error: unknown) => void;
  userRates: Pick<UserRates, 'admitServerCheck'>;
  now: () => Date;
}) {
  const {
    memory,
    caches,
    experiments,
    connections,
    effectiveServers,
    upstream,
    listen,
    watch,
    listsInBackground,
    onListingError,
    userRates,
    now,
  } = options;
  const { store } = memory;
  const listings = createToolListings({ store, upstream, now });
  const listeners = createToolListeners({
    store,
    listen,
    watch,
    caches,
    isOn: listsInBackground,
    onChanged: (key) => needed.changed(key),
    onError: onListingError,
    now,
  });
  const needed = createNeededListings({
    listings,
    listeners,
    caches,
    isOn: listsInBackground,
    onError: onListingError,
    now,
  });
  let stop: (() => Promise<void>) | undefined;
  const catalogue = createCatalogueService({ store, experiments, listings, needed, userRates, now });
  const toolServers = createToolServers({ store, connections, effectiveServers });
  return {
    services: {
      catalogue,
      importedApprovals: createImportedApprovals({ store, now }),
      effectiveTools: createEffectiveTools({ store, experiments, toolServers, catalogue }),
    },
    internal: {
      toolServers,
      /** Begins to follow the feed. Call it after the reader has started. */
      start(): void {
        stop = followChanges(memory, needed.apply, onListingError);
      },
      listChanged: needed.changed,
      async close(): Promise<void> {
        await stop?.();
        await listeners.close();
        await needed.close();
      },
    },
  };
}
