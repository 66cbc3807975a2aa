import type { ConnectionRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { notFound, unauthenticated } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import type { ConnectionEndings } from './connection-endings.ts';
import { EXPIRED_REASON } from './expired-connections.ts';
import type { ExpiryWatch } from './expiry-watch.ts';
import type { ServerSecrets } from './server-secrets.ts';
import { NOTHING_TO_REVOKE, type RevocationOutcome } from './token-revocation.ts';

/** The state of a server for one user. */
export type McpServerState = 'ready' | 'needs_connect' | 'reconnect' | 'disabled' | 'unavailable';

/** The connections of several users, by user and config. */
export type ConnectionsOfUsers = Map<string, Map<string, ConnectionRecord>>;

/** Reads and ends users' connections. */
export type ConnectionService = ReturnType<typeof createConnectionService>;

/** Creates the service. */
export function createConnectionService(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  secrets: ServerSecrets;
  endings: ConnectionEndings;
  expiry: ExpiryWatch;
}) {
  const { store, experiments, secrets, endings, expiry } = options;

  const isUnavailable = (config: McpServerConfigRecord, connection: ConnectionRecord | undefined): boolean => {
    if (secrets.isUnavailable(config)) return true;
    if (config.authType !== 'oauth2' || connection?.kind !== 'connected') return false;
    return secrets.isTokenUnavailable(connection);
  };

  /** Why the user must connect again. Null when the connection can be used, or never existed. */
  const endReason = (connection: ConnectionRecord | undefined): string | null => {
    if (connection === undefined) return null;
    if (connection.kind === 'ended') return connection.reason;
    return connection.blockedReason ?? (expiry.isPast(connection.endsAt) ? EXPIRED_REASON : null);
  };

  /** Whether the user has a connection that can be used, or does not need one. */
  const isConnected = (config: McpServerConfigRecord, connection: ConnectionRecord | undefined): boolean =>
    config.authType !== 'oauth2' || (connection !== undefined && endReason(connection) === null);

  /** The state derived from stored data and the time, without opening a secret or calling a provider. */
  const serverState = (config: McpServerConfigRecord, connection: ConnectionRecord | undefined): McpServerState => {
    if (!config.enabled) return 'disabled';
    if (isUnavailable(config, connection)) return 'unavailable';
    if (isConnected(config, connection)) return 'ready';
    return connection === undefined ? 'needs_connect' : 'reconnect';
  };

  /**
   * Returns the result of `find`. Runs it again, bypassing the cache, when tokens may not open, because the version
   * that failed to open matters.
   */
  const exact = async (find: (bypassCache: boolean) => Promise<ConnectionRecord[]>): Promise<ConnectionRecord[]> => {
    const found = await find(false);
    const isSuspect = found.some((each) => each.kind === 'connected' && secrets.isTokenSuspect(each));
    return isSuspect ? find(true) : found;
  };

  return {
    isConnected,
    serverState,

    /** Additional information for the user: why a connection ended, or that it needs more permissions. */
    stateReason(config: McpServerConfigRecord, connection: ConnectionRecord | undefined): string | null {
      const state = serverState(config, connection);
      if (state === 'reconnect') return endReason(connection);
      const wantsMore = state === 'ready' && connection?.kind === 'connected' && connection.needsMoreScopes;
      return wantsMore ? 'The server asks for more permissions: connect again to grant them.' : null;
    },

    /** The number of connected users per config. Configs without any are omitted. */
    async countByConfig(viewer: Viewer, configIds: readonly string[]): Promise<Map<string, number>> {
      return store.connections.countByConfig(viewer, { configIds });
    },

    /** The viewer's own connections by config. Configs without one are omitted. */
    async listOwn(viewer: Viewer, configIds: readonly string[]): Promise<Map<string, ConnectionRecord>> {
      const userId = viewerUserId(viewer);
      if (userId === undefined || configIds.length === 0) return new Map();
      return byConfig(
        await exact(async (bypassCache) => store.connections.list(viewer, { userId, configIds, bypassCache })),
      );
    },

    /** The connections of several users, by user and config. For the gateway itself. */
    async listOfUsers(userIds: readonly string[], configIds: readonly string[]): Promise<ConnectionsOfUsers> {
      if (userIds.length === 0 || configIds.length === 0) return new Map();
      let found = new Map<string, ConnectionRecord[]>();
      await exact(async (bypassCache) => {
        found = await store.connections.listOfUsers(SYSTEM, { userIds, configIds, bypassCache });
        return [...found.values()].flat();
      });
      return new Map([...found].map(([userId, connections]) => [userId, byConfig(connections)]));
    },

    /**
     * Ends the viewer's own connection, whatever the state of the config. For a hidden or missing config nothing
     * happens, and the response is the same as without a connection.
     */
    async disconnect(viewer: Viewer, configId: string): Promise<RevocationOutcome> {
      assertCan(viewer, 'mcpServerConnection.remove');
      assertExperiment(experiments, 'agents');
      const userId = viewerUserId(viewer);
      if (userId === undefined) throw unauthenticated();
      const [ended] = await store.transaction(async (tx) => {
        const removed = await endings.remove(tx, viewer, { configId, userId });
        if (removed.length > 0) {
          const target = { type: 'mcp_server_config', id: configId } as const;
          await tx.audit.append(SYSTEM, { actor: viewer, action: 'mcpServerConnection.disconnect', target });
        }
        return removed;
      });
      const [tokens] = ended?.tokens ?? [];
      return ended === undefined || tokens === undefined ? NOTHING_TO_REVOKE : endings.revokeNow(ended.config, tokens);
    },

    /**
     * Removes the tokens of one user or of all users at a server, and revokes them in the background.
     *
     * @returns how many were removed
     * @throws FORBIDDEN, NOT_FOUND when the config does not exist
     */
    async removeUserTokens(viewer: Viewer, args: { configId: string; userId?: string | undefined }): Promise<number> {
      assertCan(viewer, 'mcpServerConnection.removeAny');
      assertExperiment(experiments, 'agents');
      const config = await store.configs.findById(viewer, { id: args.configId });
      if (config === null) throw notFound('MCP server config');
      const ended = await store.transaction(async (tx) => {
        const removed = await endings.remove(tx, viewer, args);
        await tx.audit.append(SYSTEM, {
          actor: viewer,
          action: 'mcpServerConnection.remove',
          target: toConfigTarget(config),
          changes: removed
            .flatMap(({ tokens }) => tokens)
            .map(({ userId }) => ({ field: 'userId', before: userId, after: null })),
        });
        return removed;
      });
      await endings.revokeAllLater(ended);
      return ended.flatMap(({ tokens }) => tokens).length;
    },
  };
}

/** If a config appears twice, the later connection counts. */
function byConfig(connections: readonly ConnectionRecord[]): Map<string, ConnectionRecord> {
  return new Map(connections.map((connection) => [connection.configId, connection]));
}
