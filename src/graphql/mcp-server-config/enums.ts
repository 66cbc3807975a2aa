import { builder } from '../builder.ts';

/** `McpTransport` */
export const McpTransportEnum = builder.enumType('McpTransport', {
  description: 'How the gateway talks to a server (Model Context Protocol, "Transports").',
  values: {
    STREAMABLE_HTTP: { value: 'streamable_http', description: 'Streamable HTTP, the current transport.' },
    SSE: { value: 'sse', description: 'HTTP with server-sent events, the transport before 2025-03-26.' },
  } as const,
});

/** `McpAuthType` */
export const McpAuthTypeEnum = builder.enumType('McpAuthType', {
  description: 'What credentials a server gets.',
  values: {
    NONE: { value: 'none', description: 'None.' },
    OAUTH2: { value: 'oauth2', description: "Each user's own OAuth 2 token: every user connects his account." },
    API_KEY: { value: 'api_key', description: 'One API key for all users, in one header.' },
    CUSTOM_HEADERS: { value: 'custom_headers', description: 'The same headers for all users.' },
  } as const,
});

/** `McpAvailability` */
export const McpAvailabilityEnum = builder.enumType('McpAvailability', {
  description: 'In which chats a server is.',
  values: {
    FORCE_ON: { value: 'force_on', description: 'In every chat; it cannot be left out.' },
    DEFAULT_ON: { value: 'default_on', description: 'In a new chat unless it is left out.' },
    DEFAULT_OFF: { value: 'default_off', description: 'In a chat only when it is chosen.' },
  } as const,
});

/** `McpOAuth2ResourceMode` */
export const McpOAuth2ResourceModeEnum = builder.enumType('McpOAuth2ResourceMode', {
  description: 'Whether the authorization server is told which server a token is for (RFC 8707).',
  values: {
    AUTO: { value: 'auto', description: 'Yes, unless the authorization server is known to refuse it.' },
    INCLUDE: { value: 'include', description: 'Yes.' },
    OMIT: { value: 'omit', description: 'No.' },
  } as const,
});

/** `McpServerState` */
export const McpServerStateEnum = builder.enumType('McpServerState', {
  description: 'How a server stands for a user.',
  values: {
    READY: { value: 'ready', description: 'It can be used.' },
    NEEDS_CONNECT: { value: 'needs_connect', description: 'The user has to connect his account first.' },
    RECONNECT: { value: 'reconnect', description: 'The connection ended; the user has to connect again.' },
    DISABLED: { value: 'disabled', description: 'An admin has it switched off.' },
    UNAVAILABLE: {
      value: 'unavailable',
      description: 'A stored secret of it cannot be opened; an admin has to set it again.',
    },
  } as const,
});
