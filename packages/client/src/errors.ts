import type { ErrorCode } from './error-codes.ts';

/** One problem with the input. */
export interface ValidationIssue {
  /** Field names and indexes from the root of the input, e.g. `['customHeaders', 0, 'name']`. */
  path: readonly (string | number)[];
  /** Stable code of the broken rule, e.g. `URL_NOT_HTTPS`. */
  code: string;
  /** For people: what is wrong and how to fix it. */
  message: string;
}

/** An error of an answer, as GraphQL writes it. */
export interface AnswerError {
  message: string;
  path?: readonly (string | number)[];
  extensions?: Readonly<Record<string, unknown>>;
}

/** What came with an error. */
export interface ErrorFacts {
  /** All errors of the answer. Empty if there was no answer of the gateway. */
  errors?: readonly AnswerError[] | undefined;
  /** What the answer had beside the errors: null, or the part of the data that could be had. */
  data?: unknown;
  /** The HTTP status; absent if there was no answer, and for errors inside of a stream. */
  status?: number | undefined;
  /** How long to wait before the next attempt, in milliseconds, if the gateway said so. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/**
 * The base of all errors of this package. `code` is a code of the gateway, or one of the client's own:
 *
 * - `CONNECTION_FAILED`: there was no answer, or not in time. The operation may have been carried out or not.
 * - `ANSWER_INVALID`: there was an answer, but not from a GraphQL server; a proxy's page, for instance.
 */
export class GatehouseError extends Error {
  override readonly name: string = 'GatehouseError';
  readonly code: ErrorCode | 'CONNECTION_FAILED' | 'ANSWER_INVALID' | (string & {});
  /** All errors of the answer; the first one gave this error its code and message. */
  readonly errors: readonly AnswerError[];
  /** What the answer had beside the errors: null, or the part of the data that could be had. */
  readonly data: unknown;
  /** The HTTP status, if there is one. */
  readonly status: number | undefined;
  /** How long to wait before the next attempt, in milliseconds, if the gateway said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: GatehouseError['code'], message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.errors = facts.errors ?? [];
    this.data = facts.data ?? null;
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
  }

  /** What the gateway says about the error beside its code, e.g. `field` of `CONFLICT`. */
  get details(): Readonly<Record<string, unknown>> {
    return this.errors[0]?.extensions ?? {};
  }

  /** The problems with the input. Empty if the error is another one. */
  get issues(): readonly ValidationIssue[] {
    const { issues } = this.details;
    return Array.isArray(issues) ? (issues as ValidationIssue[]) : [];
  }
}

/** `UNAUTHENTICATED`: the token or the session is missing, expired or revoked, or its user is suspended. */
export class UnauthenticatedError extends GatehouseError {
  override readonly name = 'UnauthenticatedError';
}

/** `FORBIDDEN`: the caller is known, and not allowed to do this. */
export class ForbiddenError extends GatehouseError {
  override readonly name = 'ForbiddenError';
}

/** `NOT_FOUND`: it does not exist, or the caller may not see it. */
export class NotFoundError extends GatehouseError {
  override readonly name = 'NotFoundError';
}

/** `VALIDATION_FAILED`: nothing was changed, and `issues` has all problems. */
export class ValidationFailedError extends GatehouseError {
  override readonly name = 'ValidationFailedError';
}

/** `CONFLICT`: a value that must be unique is taken. */
export class ConflictError extends GatehouseError {
  override readonly name = 'ConflictError';

  /** The field whose value is taken, e.g. `slug`. */
  get field(): string {
    return String(this.details['field'] ?? '');
  }
}

/** `VERSION_MISMATCH`: somebody changed it since the caller read it. */
export class VersionMismatchError extends GatehouseError {
  override readonly name = 'VersionMismatchError';

  /** The version that it has now. */
  get currentVersion(): number {
    return Number(this.details['currentVersion']);
  }
}

/** `CURSOR_EXPIRED` or `CURSOR_INVALID`: the feed cannot continue from this cursor. Start again, with all configs. */
export class CursorLostError extends GatehouseError {
  override readonly name = 'CursorLostError';
}

/** `RATE_LIMITED`: too much at once. Wait `retryAfterMs` if it is there. */
export class RateLimitedError extends GatehouseError {
  override readonly name = 'RateLimitedError';
}

/** `INTERNAL_SERVER_ERROR`: a fault in the gateway. */
export class InternalServerError extends GatehouseError {
  override readonly name = 'InternalServerError';

  /** The id of the entry in the gateway's log. */
  get errorId(): string | undefined {
    const { errorId } = this.details;
    return typeof errorId === 'string' ? errorId : undefined;
  }
}

/** `CONNECTION_FAILED`: there was no answer, or it broke off. The operation may have been carried out or not. */
export class ConnectionFailedError extends GatehouseError {
  override readonly name = 'ConnectionFailedError';
}

const CLASS_OF_CODE: Readonly<
  Record<string, new (...args: ConstructorParameters<typeof GatehouseError>) => GatehouseError>
> = {
  UNAUTHENTICATED: UnauthenticatedError,
  FORBIDDEN: ForbiddenError,
  NOT_FOUND: NotFoundError,
  VALIDATION_FAILED: ValidationFailedError,
  CONFLICT: ConflictError,
  VERSION_MISMATCH: VersionMismatchError,
  CURSOR_EXPIRED: CursorLostError,
  CURSOR_INVALID: CursorLostError,
  RATE_LIMITED: RateLimitedError,
  INTERNAL_SERVER_ERROR: InternalServerError,
  CONNECTION_FAILED: ConnectionFailedError,
};

/** Creates the error of the class that belongs to the code. */
export function createError(code: GatehouseError['code'], message: string, facts: ErrorFacts = {}): GatehouseError {
  const Class = Object.hasOwn(CLASS_OF_CODE, code) ? CLASS_OF_CODE[code] : undefined;
  return new (Class ?? GatehouseError)(code, message, facts);
}
