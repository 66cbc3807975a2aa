import type { Limit } from './limit.ts';

const INVALID = '`VALIDATION_FAILED`';
const TOO_BUSY = '`RATE_LIMITED`';
const UNRECORDED = '`RATE_LIMITED`, and nothing is changed; ending sessions, tokens and connections is never refused';

/** One operation of the graph, and all operations of one caller: a user, or the unknown callers of one network. */
export const OPERATION_LIMITS = {
  document: {
    what: 'A GraphQL document',
    value: 16 * 1_024,
    unit: 'bytes',
    answer: `${INVALID} with the issue \`TOO_LONG\` at \`query\``,
  },
  tokens: { what: 'Tokens in a document', value: 1_500, unit: 'count', answer: INVALID },
  depth: { what: 'Levels of fields', value: 12, unit: 'count', answer: INVALID },
  aliases: { what: 'Aliases in a document', value: 15, unit: 'count', answer: INVALID },
  directives: { what: 'Directives in a document', value: 5, unit: 'count', answer: INVALID },
  requestedEntries: {
    what: 'Entries of one page (`first`), and of all pages of an operation together',
    value: 500,
    unit: 'count',
    answer: `${INVALID} with the issue \`OUT_OF_RANGE\` at \`first\``,
  },
  pageSize: { what: 'Entries of a page without `first`', value: 50, unit: 'count', answer: 'the first ones' },
  restoredVersions: {
    what: 'Versions that restoring an MCP server goes back',
    value: 1_000,
    unit: 'count',
    answer: `${INVALID} with the issue \`OUT_OF_RANGE\` at \`version\``,
  },
  entries: {
    what: 'List entries in an answer, each alias for itself; ten plain values count as one',
    value: 10_000,
    unit: 'count',
    answer: `${INVALID} with the issue \`TOO_MANY\`, and no data`,
  },
  answer: {
    what: 'An answer',
    value: 4_000_000,
    unit: 'bytes',
    answer: `${INVALID} with the issue \`TOO_LONG\`, and no data`,
  },
  running: {
    what: 'Operations of a caller that run at once',
    value: 8,
    unit: 'count',
    answer: 'further ones wait',
  },
  waiting: { what: 'Operations of a caller that wait', value: 120, unit: 'count', answer: TOO_BUSY },
  processorBurst: {
    what: "A caller's processor time at once, while others need it",
    value: 200,
    unit: 'ms',
    answer: "the caller's next operations wait",
  },
  processorRate: {
    what: "A caller's processor time per second after that",
    value: 500,
    unit: 'ms',
    answer: "the caller's next operations wait",
  },
  processorDebt: {
    what: 'Processor time of a long operation that its caller has to wait for afterwards',
    value: 500,
    unit: 'ms',
    answer: 'more than that is forgiven',
  },
  recorded: {
    what: 'Actions of a member or auditor that the audit log records at once; refusals and tool calls have their own limits',
    value: 600,
    unit: 'count',
    answer: UNRECORDED,
  },
  recordedRate: {
    what: 'Such actions per second after that',
    value: 2,
    unit: 'count',
    answer: UNRECORDED,
  },
  recordedForOthers: {
    what: 'The same for an admin or a service',
    value: 10_000,
    unit: 'count',
    answer: UNRECORDED,
  },
  recordedForOthersRate: {
    what: 'Such actions of an admin or a service per second after that',
    value: 20,
    unit: 'count',
    answer: UNRECORDED,
  },
  rotationStep: {
    what: 'Values that one `rotateEncryptionKeys` seals anew (`first`)',
    value: 50_000,
    unit: 'count',
    answer: `${INVALID} with the issue \`OUT_OF_RANGE\` at \`first\``,
  },
  listedFailures: {
    what: 'Values that do not open in one report about keys',
    value: 1_000,
    unit: 'count',
    answer: 'the first ones, and how many there are',
  },
} as const satisfies Record<string, Limit>;
