import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { notFound } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import type { ServerSecrets } from './server-secrets.ts';

/** How a server stands for one user. */
export type McpServerState = 'ready' | 'needs_connect' | 'reconnect' | 'disabled' | 'unavailable';

/** What can be done with users' connections. */
export type ConnectionService = ReturnType<typeof createConnectionService>;

/** Who is connected to which server. */
export function createConnectionService(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  isUnavailable: ServerSecrets['isUnavailable'];
}) {
  const { store, experiments, isUnavailable } = options;
  return {
    /**
     * How a server stands for a user, from what is known without opening a secret.
     *
     * @param hasToken whether he has a token of his own there
     */
    serverState(config: McpServerConfigRecord, hasToken: boolean): McpServerState {
      if (!config.enabled) return 'disabled';
      if (isUnavailable(config)) return 'unavailable';
      return isConnected(config, hasToken) ? 'ready' : 'needs_connect';
    },

    /** How many users are connected to each config; configs without any are left out. */
    async countByConfig(viewer: Viewer, configIds: readonly string[]): Promise<Map<string, number>> {
      return store.connections.countByConfig(viewer, { configIds });
    },

    /** Those of the configs that the viewer himself is connected to. */
    async listOwnConnected(viewer: Viewer, configIds: readonly string[]): Promise<Set<string>> {
      const userId = viewerUserId(viewer);
      if (userId === undefined) return new Set();
      return store.connections.listConnected(viewer, { userId, configIds });
    },

    /**
     * Removes the tokens of one user at a server, or of all users.
     *
     * @returns how many were removed
     * @throws FORBIDDEN, NOT_FOUND when there is no such config
     */
    async removeUserTokens(viewer: Viewer, args: { configId: string; userId?: string | undefined }): Promise<number> {
      assertCan(viewer, 'mcpServerConnection.removeAny');
      assertExperiment(experiments, 'agents');
      const config = await store.configs.findById(viewer, { id: args.configId });
      if (config === null) throw notFound('MCP server config');
      return store.connections.remove(viewer, args);
    },
  };
}

/** Whether the user needs no connection of his own, or has one. */
export function isConnected(config: McpServerConfigRecord, hasToken: boolean): boolean {
  return config.authType !== 'oauth2' || hasToken;
}
