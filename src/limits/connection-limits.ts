import type { Limit } from './limit.ts';

const TOO_MANY = '`RATE_LIMITED`; a WebSocket closes with 1013';

/** Streams and WebSocket connections, which stay open. */
export const CONNECTION_LIMITS = {
  streamsPerUser: {
    what: 'Streams of a user, and WebSocket connections of a user, in one process',
    value: 2_000,
    unit: 'count',
    answer: TOO_MANY,
  },
  streams: {
    what: 'Streams, and WebSocket connections, in one process',
    value: 20_000,
    unit: 'count',
    answer: TOO_MANY,
  },
  streamAge: {
    what: 'Age of a stream',
    value: 3_600_000,
    unit: 'ms',
    answer: 'the stream ends, up to a fifth earlier; clients continue from their cursor',
  },
  streamDocumentsPerUser: {
    what: "Different documents of a user's open subscriptions, in memory",
    value: 4_000_000,
    unit: 'bytes',
    answer: '`RATE_LIMITED`',
  },
  doorRequests: {
    what: 'Requests to MCP doors in progress, in one process',
    value: 10_000,
    unit: 'count',
    answer: '`RATE_LIMITED`',
  },
  doorRequestsPerUser: {
    what: 'Requests of a caller to MCP doors in progress, in one process',
    value: 1_000,
    unit: 'count',
    answer: '`RATE_LIMITED`',
  },
  unreadAnswersPerUser: {
    what: "Answers of MCP doors to a caller's requests that were not read yet, in one process",
    value: 32 * 1_024 * 1_024,
    unit: 'bytes',
    answer: '`RATE_LIMITED`; an answer that is too much then is dropped, and says so',
  },
  unreadAnswers: {
    what: 'Answers of MCP doors that were not read yet, in one process',
    value: 128 * 1_024 * 1_024,
    unit: 'bytes',
    answer: 'the same',
  },
  doorListeners: {
    what: 'Streams that tell changes of lists of tools, in one process',
    value: 5_000,
    unit: 'count',
    answer: '`RATE_LIMITED`',
  },
  doorListenersPerUser: {
    what: 'Streams of a caller that tell changes of lists of tools, in one process',
    value: 500,
    unit: 'count',
    answer: '`RATE_LIMITED`',
  },
  outage: {
    what: 'Time that streams wait for a database that is away',
    value: 30_000,
    unit: 'ms',
    answer: 'the stream ends with an error',
  },
  strangersPerNetwork: {
    what: 'WebSocket connections before `connection_init`, from one network',
    value: 500,
    unit: 'count',
    answer: "the network's oldest silent one ends; without any, `RATE_LIMITED`",
  },
  socketOperations: {
    what: 'Operations at once on a WebSocket connection',
    value: 32,
    unit: 'count',
    answer: '`RATE_LIMITED` for that operation',
  },
  socketMessages: {
    what: 'Messages under way on a WebSocket connection',
    value: 64,
    unit: 'count',
    answer: 'the connection closes with 1008',
  },
  socketBuffer: {
    what: 'Data that a WebSocket client has not read',
    value: 4 * 1_024 * 1_024,
    unit: 'bytes',
    answer: 'the connection ends',
  },
  socketId: {
    what: 'Id of an operation on a WebSocket',
    value: 128,
    unit: 'characters',
    answer: 'the connection closes with 4400',
  },
  waitingCallRecords: {
    what: 'Tool calls whose audit entries wait to be written, in one process',
    value: 1_000,
    unit: 'count',
    answer: 'further calls end only when there is room',
  },
  heartbeat: {
    what: 'Time that a WebSocket client may leave a ping without an answer',
    value: 12_000,
    unit: 'ms',
    answer: 'the connection ends',
  },
} as const satisfies Record<string, Limit>;
