import type { McpAuthType, McpAvailability } from '../generated/graphql.ts';

/** How a server knows its users, in words. */
export const AUTH_TEXT: Readonly<Record<McpAuthType, string>> = {
  NONE: 'No sign-in',
  OAUTH2: 'Each user’s account',
  API_KEY: 'One API key',
  CUSTOM_HEADERS: 'Custom headers',
};

/** When a server is part of a chat. */
export const AVAILABILITY_TEXT: Readonly<Record<McpAvailability, string>> = {
  FORCE_ON: 'Forced on',
  DEFAULT_ON: 'On by default',
  DEFAULT_OFF: 'Off by default',
};
