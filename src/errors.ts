/**
 * Every error that a caller may meet, by its stable code. GraphQL shows the code in `extensions.code`, REST in `code`.
 * What each means and what to do about it: docs/errors.md.
 */
export const ERROR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'VALIDATION_FAILED',
  'CONFLICT',
  'VERSION_MISMATCH',
  'EXPERIMENT_DISABLED',
  'CURSOR_EXPIRED',
  'CURSOR_INVALID',
  'RATE_LIMITED',
  'UPSTREAM_FAILED',
  'DECRYPTION_FAILED',
  'INTERNAL_SERVER_ERROR',
] as const;

/** One of the stable codes. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One thing wrong with the input. */
export interface ValidationIssue {
  /** Where: names and indexes from the root of the input, e.g. `['customHeaders', 0, 'name']`. */
  path: readonly (string | number)[];
  /** What rule, stable, e.g. `URL_NOT_HTTPS`. */
  code: string;
  /** What is wrong and what to do, for a person. Never holds a secret that was sent. */
  message: string;
}

/** An error that is told to the caller as it is; anything else is masked. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  /** What goes beside the code, e.g. `issues`, `field`, `currentVersion`. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Nobody is signed in, or with a credential that is not good (any more). */
export function unauthenticated(message = 'Sign in, or send an API token as "Authorization: Bearer …".'): DomainError {
  return new DomainError('UNAUTHENTICATED', message);
}

/** The caller is known, and may not. */
export function forbidden(message = 'Your role does not allow this.'): DomainError {
  return new DomainError('FORBIDDEN', message);
}

/** @param what the kind of thing, e.g. `MCP server config` */
export function notFound(what: string): DomainError {
  return new DomainError('NOT_FOUND', `There is no such ${what}.`);
}

/** All problems of an input in one error. */
export function validationFailed(issues: readonly ValidationIssue[]): DomainError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const where = first === undefined || first.path.length === 0 ? '' : `${formatPath(first.path)}: `;
  return new DomainError('VALIDATION_FAILED', `${where}${first?.message ?? 'The input is not valid.'}${more}`, {
    issues,
  });
}

/** @param field the input's field whose value is taken, e.g. `slug` */
export function conflict(field: string, message: string): DomainError {
  return new DomainError('CONFLICT', message, { field });
}

/** Somebody else changed the thing since the caller read it. @param currentVersion where it is now */
export function versionMismatch(currentVersion: number): DomainError {
  return new DomainError(
    'VERSION_MISMATCH',
    `Somebody changed this meanwhile: it is at version ${currentVersion}. Load it again and repeat the change.`,
    { currentVersion },
  );
}

/** `['customHeaders', 0, 'name']` as `customHeaders[0].name`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}
