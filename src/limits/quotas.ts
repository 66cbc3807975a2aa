import type { Limit } from './limit.ts';

const EXCEEDED = '`VALIDATION_FAILED` with the issue `QUOTA_EXCEEDED`';

/** What is stored for one user, in one chat, or in all. Operators change these limits. */
export const QUOTAS = {
  chatsPerUser: {
    what: 'Chats of a user',
    value: 5_000,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_CHATS_PER_USER',
    answer: `${EXCEEDED} from \`createChat\``,
  },
  messageMegabytesPerUser: {
    what: 'Messages of a user: the bytes of their texts, and 200 more for each message',
    value: 500,
    unit: 'MB',
    setting: 'GATEHOUSE_MAX_MESSAGE_MB_PER_USER',
    answer: `${EXCEEDED} at \`content\``,
  },
  messagesPerChat: {
    what: 'Messages in a chat',
    value: 10_000,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_MESSAGES_PER_CHAT',
    answer: `${EXCEEDED} at \`chatId\` (REST: \`id\`)`,
  },
  sessionsPerUser: {
    what: 'Browser sessions of a user',
    value: 100,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_SESSIONS_PER_USER',
    answer: 'a new session ends the one that was not used for longest',
  },
  apiTokensPerUser: {
    what: 'API tokens of a user that are neither revoked nor expired',
    value: 100,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_API_TOKENS_PER_USER',
    answer: `${EXCEEDED} at \`userId\``,
  },
  serverConfigs: {
    what: 'MCP server configs in all',
    value: 5_000,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_SERVER_CONFIGS',
    answer: `${EXCEEDED} from \`createMcpServerConfig\`; an import reports it for each server that is left out`,
  },
  wrongCredentialsPerMinute: {
    what: 'Wrong credentials from one network in a minute, in all processes together',
    value: 300,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_WRONG_CREDENTIALS_PER_MINUTE',
    answer: '`RATE_LIMITED`, except for credentials that were right from that network before',
  },
  operationsPerMinute: {
    what: 'Operations of a user in a minute, in one process',
    value: 30_000,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_OPERATIONS_PER_MINUTE',
    answer: '`RATE_LIMITED`',
  },
  serverChecksPerMinute: {
    what: 'Tests, discoveries, refreshes and connects of a user in a minute, in one process',
    value: 60,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_SERVER_CHECKS_PER_MINUTE',
    answer: '`RATE_LIMITED`',
  },
  toolCallsPerMinute: {
    what: 'Tool calls for a user in a minute, in one process',
    value: 600,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE',
    answer: 'a result with `isError` and the code `RATE_LIMITED`',
  },
  toolCallsPerServerPerMinute: {
    what: 'Tool calls to an MCP server in a minute, for all users together, in one process',
    value: 60_000,
    unit: 'count',
    setting: 'GATEHOUSE_MAX_TOOL_CALLS_PER_SERVER_PER_MINUTE',
    answer: 'a result with `isError` and the code `RATE_LIMITED`',
  },
} as const satisfies Record<string, Limit & { setting: string }>;

/** What counts towards a user's megabytes beside the text of a message: its row and its entries in indexes. */
export const MESSAGE_OVERHEAD_BYTES = 200;

/** The name of a quota. */
export type QuotaName = keyof typeof QUOTAS;

/** The quotas that apply in this process, in the units of their settings. */
export type Quotas = Readonly<Record<QuotaName, number>>;
