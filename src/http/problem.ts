import { z } from 'zod';
import { DomainError, ERROR_CODES, type ErrorCode, formatPath, type ValidationIssue } from '../errors.ts';

/** The body of every REST error response. */
export const Problem = z
  .strictObject({
    message: z.string().describe('Human-readable: what went wrong and how to fix it.'),
    code: z.enum(ERROR_CODES).describe('Machine-readable error code. Stable.'),
    detail: z.string().optional().describe('More details, if there are any.'),
    validations: z
      .array(
        z.strictObject({
          field: z.string().describe('The field, e.g. `slug`, `tool_allow_list[2]` or `custom_headers.X-Key`.'),
          detail: z.string().describe('What is wrong with the value. Never contains the value itself.'),
        }),
      )
      .optional()
      .describe('All problems with the request.'),
    errorId: z.string().optional().describe('The id of the log entry with the details of an internal error.'),
  })
  .describe('Why a request failed.');

/** The same as a type. */
export type Problem = z.output<typeof Problem>;

const STATUS_OF_CODE = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  EXPERIMENT_DISABLED: 403,
  NOT_FOUND: 404,
  VALIDATION_FAILED: 400,
  PERSISTED_QUERY_NOT_FOUND: 400,
  DOCUMENT_NOT_TRUSTED: 403,
  CONFLICT: 409,
  VERSION_MISMATCH: 409,
  CURSOR_EXPIRED: 400,
  CURSOR_INVALID: 400,
  MISDIRECTED_REQUEST: 421,
  RATE_LIMITED: 429,
  UPSTREAM_FAILED: 502,
  DECRYPTION_FAILED: 500,
  INTERNAL_SERVER_ERROR: 500,
} as const satisfies Record<ErrorCode, number>;

/** The HTTP status of an error code. */
export function statusOfCode(code: ErrorCode): (typeof STATUS_OF_CODE)[ErrorCode] {
  return STATUS_OF_CODE[code];
}

/** An error with a status that does not follow from its error code, such as 415. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }
}

/**
 * Converts an error to a response. Errors other than `DomainError` and `HttpProblem` are masked: the caller only gets the
 * id of the log entry.
 *
 * @param report logs a masked error and returns its id
 */
export function toProblemResponse(error: unknown, report: (error: unknown) => string): Response {
  if (error instanceof HttpProblem) return createProblemResponse(error.status, error.problem);
  if (error instanceof DomainError) {
    return createProblemResponse(STATUS_OF_CODE[error.code], toProblem(error), readRetryAfter(error));
  }
  return createProblemResponse(500, {
    message: 'Internal error in the gateway. Its log has the details under this errorId.',
    code: 'INTERNAL_SERVER_ERROR',
    errorId: report(error),
  });
}

/** Creates an error response without a thrown error, e.g. the 404 of an unknown route. @param retryAfterSeconds for a 429 */
export function createProblemResponse(status: number, problem: Problem, retryAfterSeconds = 1): Response {
  return Response.json(problem, {
    status,
    headers: {
      'Cache-Control': 'no-store',
      // RFC 9110, section 11.6.1: a 401 must name an authentication scheme.
      ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
      // RFC 6585, section 4.
      ...(status === 429 && { 'Retry-After': String(retryAfterSeconds) }),
    },
  });
}

/** When it is worth trying again. Most limits recover by the second. */
export function readRetryAfter({ details }: DomainError): number {
  const { retryAfterSeconds } = details as { retryAfterSeconds?: number };
  return retryAfterSeconds ?? 1;
}

function toProblem(error: DomainError): Problem {
  const validations = toValidations(error);
  return { message: error.message, code: error.code, ...(validations.length > 0 && { validations }) };
}

function toValidations({ message, details }: DomainError): NonNullable<Problem['validations']> {
  const { issues, field } = details as { issues?: readonly ValidationIssue[]; field?: string };
  if (field !== undefined) return [{ field, detail: message }];
  return (issues ?? []).map((issue) => ({ field: formatPath(issue.path), detail: issue.message }));
}
