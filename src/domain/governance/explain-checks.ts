import type { ChatRecord, McpServerConfigRecord } from '../../data/records.ts';
import { type ChatServerSource, STATE_REASONS } from '../chats/effective-servers.ts';
import type { McpServerState } from '../connections/connection-service.ts';
import { decideTool } from '../tools/tool-filter.ts';
import type { ServerCheck } from './server-check.ts';

const AVAILABILITY_REASONS = {
  force_on: 'It is in every chat.',
  default_on: 'It is in new chats unless it is deselected.',
  default_off: 'It is only in chats where it is selected.',
} as const;

/** Checks the availability and, for a chat, whether the server is in it. */
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
      {
        name: 'selected',
        outcome: 'passed',
        reason: 'It is forced on, so it does not need to be selected.',
        remedy: null,
      },
    ];
  }
  if (source === 'selected') {
    return [first, { name: 'selected', outcome: 'passed', reason: 'It is selected for this chat.', remedy: null }];
  }
  const remedy = "The chat's owner can select it with their next message, or an admin can force it on.";
  return [first, { name: 'selected', outcome: 'failed', reason: 'It is not selected for this chat.', remedy }];
}

const CONNECTION_REMEDIES: Partial<Record<McpServerState, string>> = {
  needs_connect: 'The user can connect their account.',
  reconnect: 'The user can reconnect their account.',
  unavailable: "An admin can enter the server's secrets again, or restore the key that encrypted them.",
};

/** Checks whether the user is connected, if a connection is needed. @param state as if the server were enabled */
export function explainConnection(state: McpServerState, more: string | null): ServerCheck {
  const reason = more === null ? STATE_REASONS[state] : `${STATE_REASONS[state]} ${more}`;
  if (state === 'ready') return { name: 'connected', outcome: 'passed', reason, remedy: null };
  return { name: 'connected', outcome: 'failed', reason, remedy: CONNECTION_REMEDIES[state] ?? null };
}

/** Checks whether a tool may be used. */
export function explainTool(config: McpServerConfigRecord, tool: string): ServerCheck {
  switch (decideTool(config, tool)) {
    case 'allowed':
      return { name: 'tool_allowed', outcome: 'passed', reason: 'The tool lists allow it.', remedy: null };
    case 'denied_by_deny_list': {
      const remedy = 'An admin can remove it from the deny list.';
      return { name: 'tool_allowed', outcome: 'failed', reason: 'The tool is on the deny list.', remedy };
    }
    case 'not_on_allow_list': {
      const remedy = 'An admin can add it to the allow list.';
      return { name: 'tool_allowed', outcome: 'failed', reason: 'The tool is not on the allow list.', remedy };
    }
  }
}
