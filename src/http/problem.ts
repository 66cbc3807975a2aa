import { z } from 'zod';
import { DomainError, ERROR_CODES, type ErrorCode, formatPath, type ValidationIssue } from '../errors.ts';

/** The body of every answer of the REST API that is not a success. */
export const Problem = z
  .strictObject({
    message: z.string().describe('What went wrong and what to do about it, for a person.'),
    code: z.enum(ERROR_CODES).describe('What went wrong, for a program; stable for ever.'),
    detail: z.string().optional().describe('More about it, where there is more to say.'),
    validations: z
      .array(
        z.strictObject({
          field: z.string().describe('The field, e.g. `slug`, `tool_allow_list[2]` or `custom_headers.X-Key`.'),
          detail: z.string().describe('What is wrong with its value. The value itself is never repeated.'),
        }),
      )
      .optional()
      .describe('Everything that is wrong with what was sent, at once.'),
    errorId: z
      .string()
      .optional()
      .describe('Names the entry in the log of the gateway about an error that is not told.'),
  })
  .describe('Why a request was not carried out.');

/** The same as a type. */
export type Problem = z.output<typeof Problem>;

const STATUS_OF_CODE = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  EXPERIMENT_DISABLED: 403,
  NOT_FOUND: 404,
  VALIDATION_FAILED: 400,
  CONFLICT: 409,
  VERSION_MISMATCH: 409,
  CURSOR_EXPIRED: 400,
  CURSOR_INVALID: 400,
  RATE_LIMITED: 429,
  UPSTREAM_FAILED: 502,
  DECRYPTION_FAILED: 500,
  INTERNAL_SERVER_ERROR: 500,
} as const satisfies Record<ErrorCode, number>;

/** The HTTP status that tells an error of this code. */
export function statusOfCode(code: ErrorCode): number {
  return STATUS_OF_CODE[code];
}

/** Thrown where a request ends with a status that does not follow from an error code, such as 415. */
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
 * The answer that tells an error. What is neither a `DomainError` nor an `HttpProblem` is masked: the caller learns
 * only the id under which the log has it.
 *
 * @param report logs an error that is masked and returns its id
 */
export function toProblemResponse(error: unknown, report: (error: unknown) => string): Response {
  if (error instanceof HttpProblem) return createProblemResponse(error.status, error.problem);
  if (error instanceof DomainError) return createProblemResponse(STATUS_OF_CODE[error.code], toProblem(error));
  return createProblemResponse(500, {
    message: 'Something went wrong inside the gateway; its log has more under this errorId.',
    code: 'INTERNAL_SERVER_ERROR',
    errorId: report(error),
  });
}

/** An answer with this status and body, for what is no thrown error, e.g. the 404 of an unknown route. */
export function createProblemResponse(status: number, problem: Problem): Response {
  return Response.json(problem, {
    status,
    headers: {
      'Cache-Control': 'no-store',
      // RFC 9110, section 11.6.1: a 401 names a way to sign in.
      ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    },
  });
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
