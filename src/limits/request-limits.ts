import type { Limit } from './limit.ts';

const INVALID = '`VALIDATION_FAILED`';

/** One HTTP request, or one message on a WebSocket. */
export const REQUEST_LIMITS = {
  body: {
    what: 'Body of a request, and one WebSocket message',
    value: 256 * 1_024,
    unit: 'bytes',
    answer: '413; a WebSocket closes with 1009',
  },
  url: { what: 'URL of a GraphQL request by GET', value: 8_192, unit: 'characters', answer: '414' },
  nesting: {
    what: 'Levels of nested lists and objects in JSON',
    value: 64,
    unit: 'count',
    answer: `deeper values are read as null, and what is left is ${INVALID}`,
  },
  issues: {
    what: 'Problems that one answer lists',
    value: 100,
    unit: 'count',
    answer: 'the first ones, when there are more',
  },
  headersTime: {
    what: 'Time until all headers of a request are there',
    value: 15_000,
    unit: 'ms',
    answer: '408, and the connection ends',
  },
  requestTime: {
    what: 'Time until the whole request is there',
    value: 30_000,
    unit: 'ms',
    answer: '408, and the connection ends',
  },
  keepAliveTime: {
    what: 'Time that a connection may be idle between two requests',
    value: 75_000,
    unit: 'ms',
    answer: 'the connection ends',
  },
  stallTime: {
    what: 'Time that a client of server-sent events, or of an MCP door, may read nothing of an answer',
    value: 30_000,
    unit: 'ms',
    answer: 'the connection ends, at the latest after twice this time',
  },
  earlyBody: {
    what: 'Body of a request that is read before its caller is known, if the same headers were answered before',
    value: 16_384,
    unit: 'bytes',
    answer: 'it is read later',
  },
  repeatAge: {
    what: 'Time for which an answer is sent again to the same request before its credential is verified again',
    value: 60_000,
    unit: 'ms',
    answer: 'the request is run in full',
  },
  forwardingHops: {
    what: 'Proxies in `X-Forwarded-For` that are looked at, from the nearest',
    value: 32,
    unit: 'count',
    answer: 'the address of the last one counts as the caller',
  },
  bearer: { what: 'A bearer token', value: 16_384, unit: 'characters', answer: '`UNAUTHENTICATED`' },
  cursor: { what: 'A cursor', value: 1_024, unit: 'characters', answer: '`CURSOR_INVALID`' },
} as const satisfies Record<string, Limit>;
