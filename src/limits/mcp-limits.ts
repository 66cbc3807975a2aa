import type { Limit } from './limit.ts';

const TIMEOUT = '`TIMEOUT` in `reachability` and in the refusal of a call';
const TOO_LARGE = '`TOO_LARGE`';
const LEFT_OUT = 'left out, and counted in the list';
const BUSY = '`BUSY`';

/** What a gateway does for, and takes from, the MCP servers that admins define. */
export const MCP_LIMITS = {
  listTime: { what: 'Connecting to an MCP server and listing its tools', value: 10_000, unit: 'ms', answer: TIMEOUT },
  connectTime: { what: 'Connecting to an MCP server before a call', value: 10_000, unit: 'ms', answer: TIMEOUT },
  callTime: {
    what: 'A tool call',
    value: 60_000,
    unit: 'ms',
    setting: 'GATEHOUSE_TOOL_CALL_TIMEOUT_SECONDS',
    answer: TIMEOUT,
  },
  silence: { what: 'A pause within an answer of an MCP server', value: 30_000, unit: 'ms', answer: TIMEOUT },
  answer: {
    what: 'An answer of an MCP server',
    value: 4 * 1_024 * 1_024,
    unit: 'bytes',
    setting: 'GATEHOUSE_TOOL_ANSWER_MAX_BYTES',
    answer: TOO_LARGE,
  },
  triedAnswer: {
    what: 'An answer that `callMcpTool` returns',
    value: 1_000_000,
    unit: 'bytes',
    answer: '`TOO_LARGE` as the code of the result',
  },
  list: { what: 'All pages of a list of tools', value: 16 * 1_024 * 1_024, unit: 'bytes', answer: TOO_LARGE },
  listings: {
    what: 'Listings of tools at once in one process',
    value: 16,
    unit: 'count',
    answer: 'further ones wait',
  },
  listingPatience: {
    what: 'The time that a listing may keep others waiting',
    value: 500,
    unit: 'ms',
    answer: 'it goes on beside them',
  },
  slowListings: {
    what: 'Listings that go on beside others, because they take long',
    value: 112,
    unit: 'count',
    answer: 'the one that began first ends, and is tried again later',
  },
  listsAtOnce: {
    what: 'What is received of all lists of tools at once, in one process',
    value: 128 * 1_024 * 1_024,
    unit: 'bytes',
    answer: 'the list ends with `BUSY`, and is tried again later',
  },
  notice: {
    what: 'An answer to a message that needs none',
    value: 64 * 1_024,
    unit: 'bytes',
    answer: 'the rest is not read',
  },
  answerDepth: { what: 'Levels of an answer of an MCP server', value: 512, unit: 'count', answer: '`TOO_DEEP`' },
  tools: { what: 'Tools of an MCP server', value: 1_000, unit: 'count', answer: 'the first ones' },
  pages: { what: 'Pages of a list of tools', value: 100, unit: 'count', answer: 'the first ones' },
  definition: { what: 'The definition of a tool', value: 256 * 1_024, unit: 'bytes', answer: LEFT_OUT },
  definitionDepth: { what: 'Levels of a definition', value: 64, unit: 'count', answer: LEFT_OUT },
  nameOnTheWire: { what: 'The name of a tool that is read', value: 1_024, unit: 'characters', answer: LEFT_OUT },
  toolName: { what: 'The name of a tool in the catalogue', value: 128, unit: 'characters', answer: LEFT_OUT },
  shownName: {
    what: 'The name of a tool that models see',
    value: 64,
    unit: 'characters',
    answer: 'cut, with a short hash',
  },
  serverName: { what: "A server's name and its version", value: 200, unit: 'characters', answer: 'cut' },
  instructions: { what: "A server's instructions", value: 16_384, unit: 'characters', answer: 'cut' },
  ownTools: {
    what: "A user's own definitions of tools, where they differ from the shared ones",
    value: 1_000_000,
    unit: 'bytes',
    answer: 'the user keeps the shared list',
  },
  goneTools: {
    what: 'Tools that a server no longer lists',
    value: 1_000,
    unit: 'count',
    answer: 'the oldest are forgotten, with their approvals',
  },
  approved: {
    what: 'Tools that one `approveMcpTools` approves',
    value: 1_000,
    unit: 'count',
    answer: '`VALIDATION_FAILED` with the issue `TOO_MANY`',
  },
  lookAlikes: {
    what: 'Tools that are compared for names that look alike',
    value: 20_000,
    unit: 'count',
    answer: 'further ones are not compared',
  },
  changedFields: {
    what: 'Fields that the change of a tool shows',
    value: 200,
    unit: 'count',
    answer: '`hasMoreFields` is true',
  },
  longestFreshness: {
    what: 'How long a list of tools is used without being listed again',
    value: 86_400_000,
    unit: 'ms',
    answer: 'listed at the next use',
  },
  changedListPause: {
    what: 'The time in which an MCP server that says that its tools changed is listed once, by one process',
    value: 30_000,
    unit: 'ms',
    answer: 'what it says meanwhile counts at the end',
  },
  running: {
    what: 'Operations at once at one MCP server, for one user',
    value: 16,
    unit: 'count',
    answer: 'further ones wait',
  },
  waiting: { what: 'Operations that wait for one of them to end', value: 64, unit: 'count', answer: BUSY },
  requestsOfServer: {
    what: 'Requests of an MCP server to the gateway during an operation',
    value: 100,
    unit: 'count',
    answer: '`PROTOCOL_ERROR`',
  },
  connections: { what: 'Connections to MCP servers', value: 1_000, unit: 'count', answer: BUSY },
  idleConnections: {
    what: 'Connections to MCP servers without an operation',
    value: 100,
    unit: 'count',
    answer: 'what was not used for longest is closed',
  },
  failures: {
    what: 'Failures of an MCP server in a row',
    value: 3,
    unit: 'count',
    answer: '`CIRCUIT_OPEN`: it is left alone for 30 seconds, then for twice as long each time',
  },
  longestPause: {
    what: 'The time that an MCP server is left alone',
    value: 300_000,
    unit: 'ms',
    answer: 'the longest',
  },
  waitingUsage: {
    what: 'Servers and callers whose counts of tool calls wait to be written, in one process',
    value: 20_000,
    unit: 'count',
    answer: 'further calls are not counted',
  },
  remembered: {
    what: 'MCP servers whose protocol revision or failures are remembered',
    value: 2_000,
    unit: 'count',
    answer: 'the oldest are forgotten',
  },
} as const satisfies Record<string, Limit>;
