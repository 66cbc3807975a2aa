/**
 * The codes that the gateway sends in `extensions.code`. They are stable; `docs/errors.md` of the gateway tells what each
 * means and what to do. A newer gateway can send codes that are not in this list.
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

/** A code that the gateway sends. */
export type ErrorCode = (typeof ERROR_CODES)[number];
