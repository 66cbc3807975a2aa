/**
 * The stable codes of all errors that a caller can receive. GraphQL puts the code in `extensions.code`, REST in `code`.
 * docs/errors.md explains each code and how to handle it.
 */
export const ERROR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'VALIDATION_FAILED',
  'PERSISTED_QUERY_NOT_FOUND',
  'DOCUMENT_NOT_TRUSTED',
  'CONFLICT',
  'VERSION_MISMATCH',
  'EXPERIMENT_DISABLED',
  'CURSOR_EXPIRED',
  'CURSOR_INVALID',
  'MISDIRECTED_REQUEST',
  'RATE_LIMITED',
  'UPSTREAM_FAILED',
  'DECRYPTION_FAILED',
  'INTERNAL_SERVER_ERROR',
] as const;

/** A stable error code. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One problem with the input. */
export interface ValidationIssue {
  /** Field names and indexes from the root of the input, e.g. `['customHeaders', 0, 'name']`. */
  path: readonly (string | number)[];
  /** Stable code of the broken rule, e.g. `URL_NOT_HTTPS`. */
  code: string;
  /** Human-readable: what is wrong and how to fix it. Never contains a submitted secret. */
  message: string;
}

/** An error whose code and message are sent to the caller. All other errors are masked. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  /** Extra data sent with the code, e.g. `issues`, `field`, `currentVersion`. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** The request has no credential, or one that is invalid or expired. */
export function unauthenticated(message = 'Sign in, or send an API token as "Authorization: Bearer …".'): DomainError {
  return new DomainError('UNAUTHENTICATED', message);
}

/** The caller is authenticated but not allowed to do this. */
export function forbidden(message = 'Your role does not allow this.'): DomainError {
  return new DomainError('FORBIDDEN', message);
}

/** Too much at once. @param retryAfterSeconds when it is worth trying again, where that is known */
export function rateLimited(message: string, retryAfterSeconds?: number): DomainError {
  return new DomainError('RATE_LIMITED', message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

/** The request is for a host that is not the gateway's. The host is not repeated: the caller chose it. */
export function misdirected(): DomainError {
  return new DomainError(
    'MISDIRECTED_REQUEST',
    'The gateway does not serve this host. Use its public URL, or ask its operator to add the host to GATEHOUSE_ALLOWED_HOSTS.',
  );
}

/** @param what the kind of resource, e.g. `MCP server config` */
export function notFound(what: string): DomainError {
  return new DomainError('NOT_FOUND', `There is no such ${what}.`);
}

/** Reports all problems with an input in one error. */
export function validationFailed(issues: readonly ValidationIssue[]): DomainError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const where = first === undefined || first.path.length === 0 ? '' : `${formatPath(first.path)}: `;
  return new DomainError('VALIDATION_FAILED', `${where}${first?.message ?? 'The input is not valid.'}${more}`, {
    issues,
  });
}

/** @param field the input field whose value is already in use, e.g. `slug` */
export function conflict(field: string, message: string): DomainError {
  return new DomainError('CONFLICT', message, { field });
}

/** The resource changed since the caller read it. @param currentVersion its current version */
export function versionMismatch(currentVersion: number): DomainError {
  return new DomainError(
    'VERSION_MISMATCH',
    `Someone else changed this in the meantime. It is now at version ${currentVersion}: reload it and repeat the change.`,
    { currentVersion },
  );
}

/** Formats `['customHeaders', 0, 'name']` as `customHeaders[0].name`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}
