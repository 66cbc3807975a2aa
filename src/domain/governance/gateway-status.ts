import type { FeedStatus } from '../../data/memory/feed-reader.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** So many servers that do not answer are named. All are counted. */
export const MAX_NAMED_SERVERS = 20;

/** What an operator looks at first. */
export interface GatewayStatus {
  connectionCount: number;
  unreachableServerCount: number;
  /** The first of them by display name. */
  unreachableServers: McpServerConfigRecord[];
  feed: FeedStatus;
}

/** Creates the service. */
export function createGatewayStatus({ store, readFeed }: { store: Store; readFeed: () => FeedStatus }) {
  return {
    /** @throws FORBIDDEN */
    async read(viewer: Viewer): Promise<GatewayStatus> {
      assertCan(viewer, 'gatewayStatus.read');
      const [connectionCount, { ids, count }] = await Promise.all([
        store.connections.countAll(viewer, undefined),
        store.tools.listUnreachable(viewer, { first: MAX_NAMED_SERVERS }),
      ]);
      const found = await Promise.all(ids.map((id) => store.configs.findById(viewer, { id })));
      return {
        connectionCount,
        unreachableServerCount: count,
        unreachableServers: found.filter((config) => config !== null),
        feed: readFeed(),
      };
    },
  };
}
