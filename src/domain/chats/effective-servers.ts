import type { ChatRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { ConnectionService, McpServerState } from '../connections/connection-service.ts';

/** Why a server is in a chat. */
export type ChatServerSource = 'forced' | 'selected';

/** A server that applies in a chat, and how it stands for the chat's owner. */
export interface ChatServer {
  config: McpServerConfigRecord;
  source: ChatServerSource;
  state: McpServerState;
  /** Both in words. */
  reason: string;
}

const SOURCE_REASONS = {
  forced: 'An admin has it in every chat.',
  selected: 'It was chosen for this chat.',
} as const satisfies Record<ChatServerSource, string>;

/** What a state means for the owner, and what to do. */
export const STATE_REASONS = {
  ready: 'It can be used.',
  needs_connect: 'Its user has to connect his account first.',
  reconnect: 'The connection ended; its user has to connect again.',
  disabled: 'An admin has it switched off.',
  unavailable: 'A stored secret cannot be opened; an admin has to look at it.',
} as const satisfies Record<McpServerState, string>;

/** Tells what applies in chats. */
export type EffectiveServers = ReturnType<typeof createEffectiveServers>;

/** Makes it: (chosen and forced on) and enabled, asked for at the time of use. */
export function createEffectiveServers({ store, connections }: { store: Store; connections: ConnectionService }) {
  return {
    /**
     * What applies in each of the chats, by chat; as many statements for any number of them. What cannot be read is an
     * error: an answer without the forced ones would be a smaller one than it should.
     *
     * @param chats of the viewer's own, or any for services
     */
    async listByChat(viewer: Viewer, chats: readonly ChatRecord[]): Promise<Map<string, ChatServer[]>> {
      for (const { ownerId } of chats) assertCan(viewer, 'chat.read', { ownerId });
      const chosen = [...new Set(chats.flatMap(({ mcpServerIds }) => mcpServerIds))];
      const configs = await store.configs.listForChats(viewer, { ids: chosen });
      const oauthIds = configs.filter(({ authType }) => authType === 'oauth2').map(({ id }) => id);
      const owners = [...new Set(chats.map(({ ownerId }) => ownerId))];
      const connected = await connections.listOfUsers(owners, oauthIds);
      return new Map(
        chats.map((chat) => {
          const own = connected.get(chat.ownerId);
          const servers = configs.flatMap((config) => {
            const source = sourceOf(config, chat.mcpServerIds);
            if (source === undefined) return [];
            const state = connections.serverState(config, own?.get(config.id));
            const more = connections.stateReason(config, own?.get(config.id));
            const reason = `${SOURCE_REASONS[source]} ${STATE_REASONS[state]}${more === null ? '' : ` ${more}`}`;
            return [{ config, source, state, reason }];
          });
          return [chat.id, servers];
        }),
      );
    },
  };
}

/** Why a config is in a chat; undefined when it is not. The forced ones cannot be left out, chosen or not. */
export function sourceOf(
  { id, availability, enabled }: Pick<McpServerConfigRecord, 'id' | 'availability' | 'enabled'>,
  chosen: readonly string[],
): ChatServerSource | undefined {
  if (!enabled) return undefined;
  if (availability === 'force_on') return 'forced';
  return chosen.includes(id) ? 'selected' : undefined;
}
