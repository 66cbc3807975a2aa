import type { ChatRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import type { EffectiveServers } from '../chats/effective-servers.ts';
import type { ConnectionService, McpServerState } from '../connections/connection-service.ts';

/** Why a tool is there: an admin forces its server, it was selected for the chat, or it is on by default. */
export type EffectiveToolSource = 'forced' | 'selected' | 'default';

/** A server whose tools apply, and how the user stands with it. */
export interface EffectiveServer {
  config: McpServerConfigRecord;
  source: EffectiveToolSource;
  state: McpServerState;
}

/** Finds the servers whose tools apply, whatever their state. */
export type ToolServers = ReturnType<typeof createToolServers>;

/** Creates the service. It decides nothing about who may ask: its callers do. */
export function createToolServers(options: {
  store: Store;
  connections: ConnectionService;
  effectiveServers: EffectiveServers;
}) {
  const { store, connections, effectiveServers } = options;

  /** How a user stands with some servers. */
  const statesOf = async (configs: readonly McpServerConfigRecord[], userId: string) => {
    const personalIds = configs.filter(({ authType }) => authType === 'oauth2').map(({ id }) => id);
    const own = (await connections.listOfUsers([userId], personalIds)).get(userId);
    return (config: McpServerConfigRecord) => connections.serverState(config, own?.get(config.id));
  };

  return {
    /** The servers in a chat. @param reader may read the chat */
    async inChat(reader: Viewer, chat: ChatRecord): Promise<EffectiveServer[]> {
      return (await effectiveServers.readForChats(reader, [chat]))(chat);
    },

    /** The servers that a user has without a chat: those that are forced or on by default. */
    async withoutChat(userId: string): Promise<EffectiveServer[]> {
      const all = await store.configs.listVisible(SYSTEM, {});
      const configs = all.filter(({ enabled, availability }) => enabled && availability !== 'default_off');
      const stateOf = await statesOf(configs, userId);
      return configs.map((config) => ({
        config,
        source: config.availability === 'force_on' ? 'forced' : 'default',
        state: stateOf(config),
      }));
    },

    /** One server for a user. */
    async one(config: McpServerConfigRecord, userId: string): Promise<EffectiveServer> {
      const stateOf = await statesOf([config], userId);
      return { config, source: config.availability === 'force_on' ? 'forced' : 'selected', state: stateOf(config) };
    },
  };
}
