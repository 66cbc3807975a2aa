import { builder } from '../builder.ts';

/** `McpReachabilityState` */
export const McpReachabilityStateEnum = builder.enumType('McpReachabilityState', {
  description: 'Whether a server answers. It says nothing about whether a user may use it.',
  values: {
    REACHABLE: {
      value: 'reachable',
      description: 'The server answered when it was last called. Refusing the credentials is an answer, too.',
    },
    UNREACHABLE: { value: 'unreachable', description: 'The server did not answer as an MCP server.' },
    UNKNOWN: { value: 'unknown', description: 'The server has not been called yet.' },
  } as const,
});

/** `McpToolDecision` */
export const McpToolDecisionEnum = builder.enumType('McpToolDecision', {
  description: 'Whether a tool may be used, and if not, why.',
  values: {
    ALLOWED: { value: 'allowed', description: 'The tool may be used.' },
    DENIED: { value: 'denied', description: 'The tool is on the deny list.' },
    NOT_ALLOWED: { value: 'not_allowed', description: 'There is an allow list, and the tool is not on it.' },
    PENDING: {
      value: 'pending',
      description: 'The config pins its tools, and no admin has approved this definition.',
    },
    GONE: { value: 'gone', description: 'The server no longer lists the tool.' },
  } as const,
});

/** `McpToolWarning` */
export const McpToolWarningEnum = builder.enumType('McpToolWarning', {
  description: 'What an admin should look at before a model reads the tool.',
  values: {
    INVISIBLE_CHARACTERS: {
      value: 'INVISIBLE_CHARACTERS',
      description: 'A text has characters that cannot be seen, and can hide instructions.',
    },
    BIDI_CONTROLS: {
      value: 'BIDI_CONTROLS',
      description: 'A text has characters that change the direction in which it is shown.',
    },
    LOOK_ALIKE_NAME: {
      value: 'LOOK_ALIKE_NAME',
      description: 'The name looks like that of a tool of another server, and is not the same.',
    },
    RENAMED: {
      value: 'RENAMED',
      description: 'The name is too long for models, or has characters that they do not accept. See `shownAs`.',
    },
    REMOTE_REFERENCE: {
      value: 'REMOTE_REFERENCE',
      description: 'A schema refers to another document. The gateway never loads it.',
    },
  } as const,
});

/** `EffectiveMcpToolSource` */
export const EffectiveMcpToolSourceEnum = builder.enumType('EffectiveMcpToolSource', {
  description: 'Why a tool is there.',
  values: {
    FORCED: { value: 'forced', description: 'An admin forces its server into every chat (FORCE_ON).' },
    SELECTED: { value: 'selected', description: 'Its server was selected for the chat.' },
    DEFAULT: { value: 'default', description: 'Its server is on by default (DEFAULT_ON), and there is no chat.' },
  } as const,
});

/** `McpToolListKind` */
export const McpToolListKindEnum = builder.enumType('McpToolListKind', {
  description: 'A list of a config that names tools.',
  values: {
    ALLOW: { value: 'allow', description: 'The allow list.' },
    DENY: { value: 'deny', description: 'The deny list.' },
  } as const,
});

/** `McpTextChangeKind` */
export const McpTextChangeKindEnum = builder.enumType('McpTextChangeKind', {
  description: 'What became of a piece of text.',
  values: {
    SAME: { value: 'same', description: 'It is in both.' },
    REMOVED: { value: 'removed', description: 'It is only in the approved text.' },
    ADDED: { value: 'added', description: 'It is only in the present text.' },
  } as const,
});
