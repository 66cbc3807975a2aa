import type { ChatRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { assertCan } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { ConnectionService, McpServerState } from '../connections/connection-service.ts';

/** Why a server is in a chat. */
export type ChatServerSource = 'forced' | 'selected';

/** A server in a chat, and its state for the chat's owner. */
export interface ChatServer {
  config: McpServerConfigRecord;
  source: ChatServerSource;
  state: McpServerState;
  /** The source and the state in words. */
  reason: string;
}

/** Why a server is in a chat, in words. */
export const SOURCE_REASONS = {
  forced: 'An admin added it to every chat.',
  selected: 'It is selected for this chat.',
} as const satisfies Record<ChatServerSource, string>;

/** What each state means for the owner, and what to do. */
export const STATE_REASONS = {
  ready: 'It is ready to use.',
  needs_connect: 'The user must connect their account first.',
  reconnect: 'The connection ended; the user must connect again.',
  disabled: 'An admin disabled it.',
  unavailable: 'A stored secret cannot be decrypted; an admin must fix it.',
} as const satisfies Record<McpServerState, string>;

/** The same, where it differs, for owners who ask about themselves. */
const OWN_STATE_REASONS: Partial<Record<McpServerState, string>> = {
  needs_connect: 'You must connect your account first.',
  reconnect: 'The connection ended; you must connect again.',
};

/** What a state means, in the words for who asks. @param isOwn whether the owner asks */
export function toStateReason(state: McpServerState, isOwn: boolean): string {
  return (isOwn ? OWN_STATE_REASONS[state] : undefined) ?? STATE_REASONS[state];
}

/** Finds the servers that apply in chats. */
export type EffectiveServers = ReturnType<typeof createEffectiveServers>;

/** Creates the service. A server applies when it is enabled, and selected or forced on, at the time of the request. */
export function createEffectiveServers({ store, connections }: { store: Store; connections: ConnectionService }) {
  return {
    /**
     * Reads what the servers of some chats depend on. The number of statements does not depend on the number of chats.
     * Read failures are errors: leaving out forced servers would give a wrong answer.
     *
     * @param chats chats of the viewer, or any chats for services
     * @returns a function that makes the list of one of these chats. There may be hundreds of servers in each of hundreds
     *   of chats: a caller with a budget stops before making them all
     */
    async readForChats(viewer: Viewer, chats: readonly ChatRecord[]): Promise<(chat: ChatRecord) => ChatServer[]> {
      for (const { ownerId } of chats) assertCan(viewer, 'chat.read', { ownerId });
      const chosen = [...new Set(chats.flatMap(({ mcpServerIds }) => mcpServerIds))];
      const configs = await store.configs.listForChats(viewer, { ids: chosen });
      const oauthIds = configs.filter(({ authType }) => authType === 'oauth2').map(({ id }) => id);
      const owners = [...new Set(chats.map(({ ownerId }) => ownerId))];
      const connected = await connections.listOfUsers(owners, oauthIds);
      const viewerId = viewerUserId(viewer);
      return (chat) => {
        const own = connected.get(chat.ownerId);
        return configs.flatMap((config) => {
          const source = sourceOf(config, chat.mcpServerIds.includes(config.id));
          if (source === undefined) return [];
          const state = connections.serverState(config, own?.get(config.id));
          const more = connections.stateReason(config, own?.get(config.id));
          const stateReason = toStateReason(state, chat.ownerId === viewerId);
          const reason = `${SOURCE_REASONS[source]} ${stateReason}${more === null ? '' : ` ${more}`}`;
          return [{ config, source, state, reason }];
        });
      };
    },
  };
}

/** Why a config is in a chat; undefined when it is not. Forced servers cannot be left out. */
export function sourceOf(
  { availability, enabled }: Pick<McpServerConfigRecord, 'availability' | 'enabled'>,
  isChosen: boolean,
): ChatServerSource | undefined {
  if (!enabled) return undefined;
  if (availability === 'force_on') return 'forced';
  return isChosen ? 'selected' : undefined;
}
