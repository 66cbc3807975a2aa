import { type DomainError, validationFailed } from '../../errors.ts';

/** The error for a connection that cannot be made. @param code a stable issue code; the error is VALIDATION_FAILED */
export function flowRefused(code: string, message: string): DomainError {
  return validationFailed([{ path: [], code, message }]);
}
