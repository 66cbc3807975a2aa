import type { ChatRecord, McpServerConfigRecord } from '../../data/records.ts';
import { type ChatServerSource, STATE_REASONS } from '../chats/effective-servers.ts';
import type { McpServerState } from '../connections/connection-service.ts';
import { decideTool } from '../tools/tool-filter.ts';
import type { ServerCheck } from './server-check.ts';

const AVAILABILITY_REASONS = {
  force_on: 'It is in every chat.',
  default_on: 'It is in new chats unless it is left out.',
  default_off: 'It is only in chats that it is chosen for.',
} as const;

/** The availability, and with a chat whether it is in there. */
export function explainAvailability(
  { availability }: McpServerConfigRecord,
  chat: ChatRecord | null,
  source: ChatServerSource | undefined,
): ServerCheck[] {
  const general = AVAILABILITY_REASONS[availability];
  const first: ServerCheck = { name: 'availability', outcome: 'passed', reason: general, remedy: null };
  if (chat === null) return [first];
  if (source === 'forced') {
    return [
      first,
      { name: 'selected', outcome: 'passed', reason: 'It is forced on; no choice is needed.', remedy: null },
    ];
  }
  if (source === 'selected') {
    return [first, { name: 'selected', outcome: 'passed', reason: 'It was chosen for this chat.', remedy: null }];
  }
  const remedy = "The chat's owner can choose it with his next message, or an admin can force it on.";
  return [first, { name: 'selected', outcome: 'failed', reason: 'It was not chosen for this chat.', remedy }];
}

const CONNECTION_REMEDIES: Partial<Record<McpServerState, string>> = {
  needs_connect: 'The user can connect his account.',
  reconnect: 'The user can connect his account again.',
  unavailable: "An admin can set the server's secrets again, or restore the key that sealed them.",
};

/** Whether the user is connected, where he has to be. @param state as if the server were enabled */
export function explainConnection(state: McpServerState, more: string | null): ServerCheck {
  const reason = more === null ? STATE_REASONS[state] : `${STATE_REASONS[state]} ${more}`;
  if (state === 'ready') return { name: 'connected', outcome: 'passed', reason, remedy: null };
  return { name: 'connected', outcome: 'failed', reason, remedy: CONNECTION_REMEDIES[state] ?? null };
}

/** Whether one tool may be used. */
export function explainTool(config: McpServerConfigRecord, tool: string): ServerCheck {
  switch (decideTool(config, tool)) {
    case 'allowed':
      return { name: 'tool_allowed', outcome: 'passed', reason: 'The tool lists allow it.', remedy: null };
    case 'denied_by_deny_list': {
      const remedy = 'An admin can take it off the deny list.';
      return { name: 'tool_allowed', outcome: 'failed', reason: 'The deny list has this tool.', remedy };
    }
    case 'not_on_allow_list': {
      const remedy = 'An admin can add it to the allow list.';
      return { name: 'tool_allowed', outcome: 'failed', reason: 'The allow list does not have this tool.', remedy };
    }
  }
}
