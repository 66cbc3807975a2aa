import type { McpAuthType, McpAvailability } from '../generated/graphql.ts';

/** How a server knows its users, in words. */
export const AUTH_TEXT: Readonly<Record<McpAuthType, string>> = {
  NONE: 'No sign-in',
  OAUTH2: 'Each user’s account',
  API_KEY: 'One API key',
  CUSTOM_HEADERS: 'Custom headers',
};

/** What that means. */
export const AUTH_MEANING: Readonly<Record<McpAuthType, string>> = {
  NONE: 'The gateway sends no credentials.',
  OAUTH2: 'Each user connects their own account with OAuth 2, and the gateway keeps their tokens.',
  API_KEY: 'The gateway sends one key for everybody, in one header.',
  CUSTOM_HEADERS: 'The gateway sends headers that you choose, the same for everybody.',
};

/** When a server is part of a chat. */
export const AVAILABILITY_TEXT: Readonly<Record<McpAvailability, string>> = {
  FORCE_ON: 'Forced on',
  DEFAULT_ON: 'On by default',
  DEFAULT_OFF: 'Off by default',
};

/** What that means. */
export const AVAILABILITY_MEANING: Readonly<Record<McpAvailability, string>> = {
  FORCE_ON: 'It is in every chat of everybody, and nobody can leave it out.',
  DEFAULT_ON: 'It is in new chats, and each user can leave it out.',
  DEFAULT_OFF: 'It is in a chat only if the user chooses it.',
};

/** The entries of a table of words as the options of a choice. */
export function toOptions<Value extends string>(
  texts: Readonly<Record<Value, string>>,
  meanings: Readonly<Record<Value, string>>,
): { value: Value; text: string; meaning: string }[] {
  return (Object.keys(texts) as Value[]).map((value) => ({ value, text: texts[value], meaning: meanings[value] }));
}
