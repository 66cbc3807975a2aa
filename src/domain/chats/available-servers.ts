import type { ChatRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { unauthenticated } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { ConnectionService, McpServerState } from '../connections/connection-service.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { type ChatServerSource, SOURCE_REASONS, sourceOf, toStateReason } from './effective-servers.ts';

/** A server that somebody can see while they choose the servers of a chat. */
export interface AvailableServer {
  config: McpServerConfigRecord;
  /** Null when the server does not apply in the chat. */
  source: ChatServerSource | null;
  /** For the chat's owner. */
  state: McpServerState;
  /** The source and the state in words. */
  reason: string;
  /** Whether it is forced on, so that nobody can leave it out. */
  isLocked: boolean;
}

/** Creates the service. It shows what the viewer may see, with the state for the user whose chat it is. */
export function createAvailableServers(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  connections: ConnectionService;
}) {
  const { store, experiments, connections } = options;

  /** Reads for several users at once. @returns a function that makes the list for one of them and a selection */
  const read = async (viewer: Viewer, ownerIds: readonly string[]) => {
    assertExperiment(experiments, 'agents');
    const configs = await store.configs.listVisible(viewer, {});
    const oauthIds = configs.filter(({ authType }) => authType === 'oauth2').map(({ id }) => id);
    const connected = await connections.listOfUsers([...new Set(ownerIds)], oauthIds);
    return (ownerId: string, isChosen: (config: McpServerConfigRecord) => boolean, words: Words): AvailableServer[] => {
      const own = connected.get(ownerId);
      const isOwn = viewerUserId(viewer) === ownerId;
      return configs.map((config) => {
        const connection = own?.get(config.id);
        const source = sourceOf(config, isChosen(config)) ?? null;
        const state = connections.serverState(config, connection);
        const more = connections.stateReason(config, connection);
        const reasons = [config.enabled ? words[source ?? 'none'] : '', toStateReason(state, isOwn), more ?? ''];
        const reason = reasons.filter((each) => each !== '').join(' ');
        return { config, source, state, reason, isLocked: config.availability === 'force_on' };
      });
    };
  };

  return {
    /**
     * Reads the servers to choose from in some chats. The number of statements does not depend on the number of chats.
     *
     * @param chats chats of the viewer, or any chats for services
     * @returns a function that makes the list of one of these chats: a caller with a budget stops before making them all
     */
    async readForChats(viewer: Viewer, chats: readonly ChatRecord[]): Promise<(chat: ChatRecord) => AvailableServer[]> {
      for (const { ownerId } of chats) assertCan(viewer, 'chat.read', { ownerId });
      const toServers = await read(
        viewer,
        chats.map(({ ownerId }) => ownerId),
      );
      return ({ ownerId, mcpServerIds }) => {
        const chosen = new Set(mcpServerIds);
        return toServers(ownerId, ({ id }) => chosen.has(id), OF_CHAT);
      };
    },

    /** The same before there is a chat: a new one selects the servers that are on by default. */
    async readForNewChat(viewer: Viewer): Promise<() => AvailableServer[]> {
      assertCan(viewer, 'mcpServerConfig.list');
      const ownerId = viewerUserId(viewer);
      if (ownerId === undefined) throw unauthenticated();
      const toServers = await read(viewer, [ownerId]);
      return () => toServers(ownerId, ({ availability }) => availability === 'default_on', OF_NEW_CHAT);
    },
  };
}

/** Why an enabled server applies, or does not. */
type Words = Readonly<Record<ChatServerSource | 'none', string>>;

const OF_CHAT: Words = { ...SOURCE_REASONS, none: 'It is not selected for this chat.' };

const OF_NEW_CHAT: Words = {
  forced: SOURCE_REASONS.forced,
  selected: 'New chats select it by default.',
  none: 'New chats do not select it by default.',
};
