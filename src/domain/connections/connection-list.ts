import type { ListedConnectionRecord, Page } from '../../data/records.ts';
import type { ConfigCursor } from '../../data/repositories/config-repository.ts';
import type { Store } from '../../data/store.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import type { ConnectionService, McpServerState } from './connection-service.ts';

/** A user's connection to a server, with its state. Has no token. */
export interface ListedConnection extends ListedConnectionRecord {
  configId: string;
  state: McpServerState;
  stateReason: string | null;
  /** When the connection ends by itself. Null when it has ended, or is renewed without the user. */
  expiresAt: Date | null;
}

/** Lists the connections of users. */
export function createConnectionList(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  connections: Pick<ConnectionService, 'serverState' | 'stateReason'>;
}) {
  const { store, experiments, connections } = options;

  /** Null if the config was deleted since, and the connection with it. */
  const withState = async (record: ListedConnectionRecord): Promise<ListedConnection | null> => {
    const { connection } = record;
    const { configId } = connection;
    // The state is the user's own, even if the config is hidden from them.
    const config = await store.configs.findById(SYSTEM, { id: configId });
    if (config === null) return null;
    return {
      ...record,
      configId,
      state: connections.serverState(config, connection),
      stateReason: connections.stateReason(config, connection),
      expiresAt: connection.kind === 'connected' ? connection.endsAt : null,
    };
  };

  return {
    /** A page of the connections of each user that the viewer may ask about. Users whom they may not are omitted. */
    async list(
      viewer: Viewer,
      userIds: readonly string[],
      args: { first: number; after?: ConfigCursor | undefined },
    ): Promise<Map<string, Page<ListedConnection>>> {
      assertCan(viewer, 'mcpServerConnection.read');
      assertExperiment(experiments, 'agents');
      const pages = await store.connectionLists.list(viewer, { userIds, ...args });
      const found = await Promise.all(
        [...pages].map(async ([userId, { rows, hasMore }]): Promise<[string, Page<ListedConnection>]> => {
          const connections = await Promise.all(rows.map(withState));
          return [userId, { rows: connections.filter((connection) => connection !== null), hasMore }];
        }),
      );
      return new Map(found);
    },

    /** The number of connections of each user. Users without any are omitted. */
    async count(viewer: Viewer, userIds: readonly string[]): Promise<Map<string, number>> {
      assertCan(viewer, 'mcpServerConnection.read');
      assertExperiment(experiments, 'agents');
      return store.connectionLists.count(viewer, { userIds });
    },
  };
}
