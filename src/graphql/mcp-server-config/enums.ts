import { builder } from '../builder.ts';

/** `McpTransport` */
export const McpTransportEnum = builder.enumType('McpTransport', {
  description: 'How the gateway communicates with a server (Model Context Protocol, "Transports").',
  values: {
    STREAMABLE_HTTP: { value: 'streamable_http', description: 'Streamable HTTP, the current transport.' },
    SSE: {
      value: 'sse',
      description: 'HTTP with server-sent events, the transport of MCP versions before 2025-03-26.',
    },
  } as const,
});

/** `McpAuthType` */
export const McpAuthTypeEnum = builder.enumType('McpAuthType', {
  description: 'Which credentials the gateway sends to a server.',
  values: {
    NONE: { value: 'none', description: 'No credentials.' },
    OAUTH2: {
      value: 'oauth2',
      description:
        "Each user's own OAuth 2 token. Every user connects their own account. Custom headers, if any, are sent as well.",
    },
    API_KEY: { value: 'api_key', description: 'One API key, shared by all users, in one header.' },
    CUSTOM_HEADERS: { value: 'custom_headers', description: 'Custom headers, shared by all users.' },
  } as const,
});

/** `McpAvailability` */
export const McpAvailabilityEnum = builder.enumType('McpAvailability', {
  description: 'Which chats a server applies in.',
  values: {
    FORCE_ON: { value: 'force_on', description: 'In every chat. Users cannot remove it.' },
    DEFAULT_ON: { value: 'default_on', description: 'Selected in new chats by default. Users can remove it.' },
    DEFAULT_OFF: { value: 'default_off', description: 'Only in chats where a user selects it.' },
  } as const,
});

/** `McpOAuth2ResourceMode` */
export const McpOAuth2ResourceModeEnum = builder.enumType('McpOAuth2ResourceMode', {
  description:
    'Whether the gateway sends the `resource` parameter to the authorization server, which names the MCP server a token is for (RFC 8707).',
  values: {
    AUTO: {
      value: 'auto',
      description:
        'Send it, except at Microsoft Entra, which refuses it, and for servers without protected resource metadata.',
    },
    INCLUDE: { value: 'include', description: 'Always send it.' },
    OMIT: { value: 'omit', description: 'Never send it.' },
  } as const,
});

/** `McpOAuth2CallbackMode` */
export const McpOAuth2CallbackModeEnum = builder.enumType('McpOAuth2CallbackMode', {
  description: 'Which callback URL (redirect URI) the gateway sends to the authorization server.',
  values: {
    OWN: {
      value: 'own',
      description:
        "The config's own URL. Responses of different authorization servers arrive at different URLs, so they cannot be mixed up.",
    },
    SHARED: {
      value: 'shared',
      description:
        'The URL of the deployment, which is known before the config exists. Only with a client id that an admin entered.',
    },
  } as const,
});

/** `McpToolApproval` */
export const McpToolApprovalEnum = builder.enumType('McpToolApproval', {
  description: 'Whether the tools of a server may be used as it lists them.',
  values: {
    AUTO: { value: 'auto', description: 'As the server lists them, within the allow and deny lists.' },
    PIN: {
      value: 'pin',
      description: 'Only as an admin approved them. A tool that is new, or that changed, waits for an approval.',
    },
  } as const,
});

/** `McpServerState` */
export const McpServerStateEnum = builder.enumType('McpServerState', {
  description: 'Whether a user can use a server, and if not, why.',
  values: {
    READY: { value: 'ready', description: 'The user can use the server.' },
    NEEDS_CONNECT: { value: 'needs_connect', description: 'The user must connect their account first.' },
    RECONNECT: { value: 'reconnect', description: 'The connection ended. The user must connect again.' },
    DISABLED: { value: 'disabled', description: 'An admin disabled the server.' },
    UNAVAILABLE: {
      value: 'unavailable',
      description: 'A stored secret of the server cannot be decrypted. An admin must set it again.',
    },
  } as const,
});
