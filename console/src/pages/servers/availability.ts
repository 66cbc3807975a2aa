import type { McpAvailability } from '../../graph/generated/graphql.ts';

/** When a server is part of a chat, in words. */
export const AVAILABILITY_TEXT: Readonly<Record<McpAvailability, string>> = {
  FORCE_ON: 'In every chat',
  DEFAULT_ON: 'On in new chats',
  DEFAULT_OFF: 'You choose it for a chat',
};
