import type { Limit } from './limit.ts';

const TOO_LONG = '`VALIDATION_FAILED` with the issue `TOO_LONG`';
const TOO_MANY = '`VALIDATION_FAILED` with the issue `TOO_MANY`';

/** What is written into one field. Characters are code points. */
export const FIELD_LIMITS = {
  chatTitle: { what: 'Title of a chat', value: 200, unit: 'characters', answer: TOO_LONG },
  messageContent: { what: 'Content of a message', value: 65_536, unit: 'characters', answer: TOO_LONG },
  chatServers: {
    what: 'Servers that are selected for a chat, also by default',
    value: 200,
    unit: 'count',
    answer: `${TOO_MANY} at \`mcpServerIds\``,
  },
  email: { what: 'Email address of a user', value: 320, unit: 'characters', answer: TOO_LONG },
  tokenName: { what: 'Name of an API token', value: 120, unit: 'characters', answer: TOO_LONG },
  displayName: { what: 'Display name of a server', value: 120, unit: 'characters', answer: TOO_LONG },
  slug: {
    what: 'Slug of a server',
    value: 64,
    unit: 'characters',
    answer: '`VALIDATION_FAILED` with the issue `INVALID_SLUG`',
  },
  description: { what: 'Description of a server', value: 4_000, unit: 'characters', answer: TOO_LONG },
  url: { what: 'A URL', value: 2_048, unit: 'characters', answer: TOO_LONG },
  clientId: { what: 'OAuth 2 client id', value: 2_048, unit: 'characters', answer: TOO_LONG },
  secret: {
    what: 'A client secret, an API key, or the value of a header',
    value: 65_536,
    unit: 'characters',
    answer: TOO_LONG,
  },
  headers: { what: 'Custom headers of a server', value: 64, unit: 'count', answer: TOO_MANY },
  listEntries: {
    what: 'Scopes, allowed tools or denied tools of a server',
    value: 1_000,
    unit: 'count',
    answer: TOO_MANY,
  },
  name: { what: 'One scope or tool name', value: 128, unit: 'characters', answer: TOO_LONG },
  importFile: { what: 'An imported file', value: 1_048_576, unit: 'bytes', answer: TOO_LONG },
  importServers: { what: 'Servers in an imported file', value: 1_000, unit: 'count', answer: TOO_MANY },
  importNesting: {
    what: 'Levels of nested lists and objects in an imported file',
    value: 100,
    unit: 'count',
    answer: '`VALIDATION_FAILED` with the issue `INVALID_JSON`',
  },
  auditText: { what: 'One text in an audit entry', value: 400, unit: 'characters', answer: 'the rest is cut off' },
} as const satisfies Record<string, Limit>;
