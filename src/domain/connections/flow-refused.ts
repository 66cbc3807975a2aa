import { type DomainError, validationFailed } from '../../errors.ts';

/** A connection that cannot be made like this. @param code stable, of this attempt; the error is VALIDATION_FAILED */
export function flowRefused(code: string, message: string): DomainError {
  return validationFailed([{ path: [], code, message }]);
}
