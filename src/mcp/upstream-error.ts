import type { UrlElicitation } from './url-elicitation.ts';

/**
 * Why an operation at an upstream server failed. The set is closed: whatever a server sends ends as one of these. The
 * messages are for people, and never contain what the server sent.
 */
export const UPSTREAM_PROBLEMS = {
  URL_REFUSED: 'The URL may only be called over https.',
  NOT_RESOLVED: "The name in the server's URL has no address.",
  ADDRESS_REFUSED: 'The server has an address that this gateway may not call.',
  TLS_FAILED: "The TLS connection failed. Check the server's certificate and its host name.",
  CONNECTION_FAILED: 'The server cannot be reached, or it closed the connection.',
  TIMEOUT: 'The server did not answer in time.',
  REDIRECTED: 'The server answered with a redirect. Use the address that it leads to.',
  ENCODED: 'The server answered with a compression that was not requested.',
  TOO_LARGE: 'The answer is larger than this gateway accepts.',
  TOO_DEEP: 'The answer is nested deeper than this gateway accepts.',
  NOT_MCP: 'There is no MCP server at this URL.',
  PROTOCOL_ERROR: 'The server broke the rules of the protocol.',
  PROTOCOL_REVISION: 'The server speaks no protocol revision that this gateway knows.',
  UNAUTHORIZED: 'The server does not accept the credentials, or needs some.',
  INSUFFICIENT_SCOPE: 'The server wants more scopes than were granted.',
  FORBIDDEN: 'The server refuses access.',
  RATE_LIMITED: 'The server got too many requests.',
  UNAVAILABLE: 'The server has a problem of its own.',
  HTTP_ERROR: 'The server refused the request.',
  REFUSED: 'The server answered with an error.',
  URL_ELICITATION_REQUIRED: 'The server wants the user to open a page first.',
  INPUT_REQUIRED: 'The tool asks for input, which this gateway cannot give.',
  CIRCUIT_OPEN: 'The server failed several times in a row. It is left alone for a while.',
  BUSY: 'Too many operations run at this server. Try again when some have ended.',
  CANCELLED: 'The operation was cancelled.',
  CLOSED: 'The connection was closed, because the server or its credentials changed.',
} as const;

/** Names a reason why an operation failed. */
export type UpstreamProblem = keyof typeof UPSTREAM_PROBLEMS;

/** The facts that go with a problem. All but the pages are safe to show. */
export interface UpstreamFacts {
  /** The HTTP status of the answer. */
  status?: number | undefined;
  /** How long to wait before another attempt, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** The scopes that the server asked for, with 401 and 403. */
  scopes?: readonly string[] | undefined;
  /** The code of a JSON-RPC error. */
  rpcCode?: number | undefined;
  /** `host:port`, which the operator can add to GATEHOUSE_ALLOWED_PRIVATE_CIDRS. */
  setting?: string | undefined;
  /** With CIRCUIT_OPEN: the last failure. */
  reason?: UpstreamProblem | undefined;
  /** With URL_ELICITATION_REQUIRED: the pages. These are words of the server, for the user who called, and nobody else. */
  elicitations?: readonly UrlElicitation[] | undefined;
}

/**
 * An operation at an upstream server failed. It has no cause: those of libraries hold what the server sent, and logs show
 * causes.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly problem: UpstreamProblem;
  readonly facts: UpstreamFacts;

  constructor(problem: UpstreamProblem, facts: UpstreamFacts = {}) {
    super(UPSTREAM_PROBLEMS[problem]);
    this.problem = problem;
    this.facts = facts;
  }
}
