import type { ChatRecord, McpReachabilityRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { DecidedTool } from '../catalogue/tool-decision.ts';
import { type ChatServerSource, toStateReason } from '../chats/effective-servers.ts';
import type { McpServerState } from '../connections/connection-service.ts';
import { decideTool } from '../tools/tool-filter.ts';
import type { ServerCheck } from './server-check.ts';

const AVAILABILITY_REASONS = {
  force_on: 'It is in every chat.',
  default_on: 'It is in new chats unless it is deselected.',
  default_off: 'It is only in chats where it is selected.',
} as const;

/** Checks the availability and, for a chat, whether the server is in it. @param isOwn whether its owner asks */
export function explainAvailability(
  { availability }: McpServerConfigRecord,
  { chat, source, isOwn }: { chat: ChatRecord | null; source: ChatServerSource | undefined; isOwn: boolean },
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
  const owner = isOwn ? 'You' : "The chat's owner";
  const remedy = `${owner} can select it for the chat, or an admin can force it on.`;
  return [first, { name: 'selected', outcome: 'failed', reason: 'It is not selected for this chat.', remedy }];
}

/** Checks whether the user is connected, if a connection is needed. */
export function explainConnection({
  state,
  more,
  isOwn,
}: {
  /** As if the server were enabled. */
  state: McpServerState;
  more: string | null;
  /** Whether the user asks about themselves. */
  isOwn: boolean;
}): ServerCheck {
  const stateReason = toStateReason(state, isOwn);
  const reason = more === null ? stateReason : `${stateReason} ${more}`;
  if (state === 'ready') return { name: 'connected', outcome: 'passed', reason, remedy: null };
  return { name: 'connected', outcome: 'failed', reason, remedy: toConnectionRemedy(state, isOwn) };
}

function toConnectionRemedy(state: McpServerState, isOwn: boolean): string | null {
  switch (state) {
    case 'needs_connect':
      return isOwn ? 'You can connect it yourself.' : 'The user can connect their account.';
    case 'reconnect':
      return isOwn ? 'You can connect it again yourself.' : 'The user can reconnect their account.';
    case 'unavailable':
      return "An admin can enter the server's secrets again, or restore the key that encrypted them.";
    case 'ready':
    case 'disabled':
      return null;
  }
}

/** Checks whether the server answered when it was last called. @param found undefined if it never was */
export function explainReachability(found: McpReachabilityRecord | undefined): ServerCheck[] {
  if (found === undefined) return [];
  if (found.reachable) return [{ name: 'reachable', outcome: 'passed', reason: 'The server answers.', remedy: null }];
  const reason = 'The server did not answer when it was last called.';
  return [{ name: 'reachable', outcome: 'failed', reason, remedy: 'An admin can test the server.' }];
}

/**
 * Checks whether the server lists the tool, the lists permit it, and an admin approved it where that is necessary.
 *
 * @param decided the server's tools, as the user has them; none if they were never listed
 */
export function explainTool(
  config: McpServerConfigRecord,
  tool: string,
  decided: readonly DecidedTool[],
): ServerCheck[] {
  const found = decided.find((each) => each.tool.name === tool);
  const rule = explainRule(config, tool);
  const approval = config.toolApproval === 'pin' ? [explainApproval(found)] : [];
  return [...(decided.length === 0 ? [] : [explainKnown(found)]), rule, ...approval];
}

function explainKnown(found: DecidedTool | undefined): ServerCheck {
  const remedy = 'Check the name. An admin can list the tools of the server again.';
  if (found === undefined) {
    return { name: 'tool_known', outcome: 'failed', reason: 'The server does not list this tool.', remedy };
  }
  if (found.decision === 'gone') {
    return { name: 'tool_known', outcome: 'failed', reason: 'The server no longer lists this tool.', remedy };
  }
  return { name: 'tool_known', outcome: 'passed', reason: 'The server lists it.', remedy: null };
}

function explainApproval(found: DecidedTool | undefined): ServerCheck {
  if (found === undefined || found.decision === 'pending' || found.decision === 'gone') {
    const reason = 'The server pins its tools, and nobody approved this one as it is now.';
    return { name: 'tool_approved', outcome: 'failed', reason, remedy: 'An admin can approve it.' };
  }
  return { name: 'tool_approved', outcome: 'passed', reason: 'An admin approved it.', remedy: null };
}

function explainRule(config: McpServerConfigRecord, tool: string): ServerCheck {
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
