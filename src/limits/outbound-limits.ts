import type { Limit } from './limit.ts';

const FAILED = '`UPSTREAM_FAILED`';
const UNUSABLE = 'the answer is not used, as if it were invalid';

/** Requests of the gateway to MCP servers and authorization servers, and their answers. */
export const OUTBOUND_LIMITS = {
  time: { what: 'Time for a request to another system', value: 10_000, unit: 'ms', answer: FAILED },
  body: { what: 'Body of an answer of another system', value: 256 * 1_024, unit: 'bytes', answer: FAILED },
  headers: { what: 'Headers of an answer of another system', value: 16_384, unit: 'bytes', answer: FAILED },
  lookupTime: {
    what: 'Time to look up whether a name leads to an allowed private address',
    value: 3_000,
    unit: 'ms',
    answer: 'what was known before still counts; otherwise the name is not allowed',
  },
  lookups: {
    what: 'Names in one document that are looked up',
    value: 20,
    unit: 'count',
    answer: 'further names are not allowed without https',
  },
  iconFetches: {
    what: 'Icons of servers that are fetched at the same time',
    value: 8,
    unit: 'count',
    answer: 'further ones wait',
  },
  iconTime: {
    what: 'Time that an icon is shown before its server is asked again',
    value: 3_600_000,
    unit: 'ms',
    answer: 'it is fetched again',
  },
  missingIconTime: {
    what: 'Time for which an address without an icon is not asked again',
    value: 300_000,
    unit: 'ms',
    answer: '404',
  },
  discoveryRequests: {
    what: 'Requests of one discovery',
    value: 13,
    unit: 'count',
    answer: 'further places are not asked',
  },
  discoveryTime: {
    what: 'Time after which one discovery sends no further request',
    value: 25_000,
    unit: 'ms',
    answer: 'further places are not asked',
  },
  issuers: {
    what: 'Authorization servers of one MCP server that are asked',
    value: 3,
    unit: 'count',
    answer: 'further ones are not asked',
  },
  issuerRequests: {
    what: 'Requests to look up the metadata of an issuer that an admin entered',
    value: 3,
    unit: 'count',
    answer: 'the settings are used without it',
  },
  issuerTime: {
    what: 'Time after which such a look-up sends no further request',
    value: 10_000,
    unit: 'ms',
    answer: 'the settings are used without it',
  },
  challenge: {
    what: 'A `WWW-Authenticate` header',
    value: 16_384,
    unit: 'characters',
    answer: 'a longer one is not read',
  },
  tokenList: {
    what: 'Scopes or methods in a document of another system',
    value: 100,
    unit: 'count',
    answer: 'the first ones',
  },
  code: {
    what: 'An authorization code',
    value: 16_384,
    unit: 'characters',
    answer: '`VALIDATION_FAILED` with the issue `ANSWER_INVALID`',
  },
  token: { what: 'An access or refresh token', value: 16_384, unit: 'characters', answer: UNUSABLE },
  scopes: { what: 'The granted scopes together', value: 16_384, unit: 'characters', answer: UNUSABLE },
  refusalText: {
    what: 'A field of a refusal of a token endpoint',
    value: 1_000,
    unit: 'characters',
    answer: 'a longer one is taken for a page, and not looked at',
  },
  tokenLifetime: {
    what: 'Lifetime of an access token',
    value: 315_360_000,
    unit: 'seconds',
    answer: 'a longer one counts as this',
  },
  retryAfter: {
    what: 'Time to wait that a token endpoint asks for',
    value: 3_600_000,
    unit: 'ms',
    answer: 'a longer one counts as this',
  },
  refreshWait: {
    what: "Time that a caller waits for another process's refresh of the same token",
    value: 15_000,
    unit: 'ms',
    answer: 'the token as it is',
  },
  stepUpRounds: {
    what: 'Times that a user is asked for more scopes by a server that is not content',
    value: 3,
    unit: 'count',
    answer: 'further ones fail',
  },
  wantedScopes: {
    what: 'Scopes that servers asked for and that the next sign-in includes',
    value: 100,
    unit: 'count',
    answer: 'further ones are left out',
  },
  formerClients: {
    what: 'Replaced OAuth 2 clients of a server that are kept for their tokens',
    value: 10,
    unit: 'count',
    answer: 'the oldest goes',
  },
} as const satisfies Record<string, Limit>;
