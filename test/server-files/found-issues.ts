import { DomainError, type ValidationIssue } from '../../src/errors.ts';

/** What a call reports as VALIDATION_FAILED; fails when it does anything else. */
export function listIssues(call: () => unknown): readonly ValidationIssue[] {
  try {
    call();
  } catch (error) {
    if (error instanceof DomainError && error.code === 'VALIDATION_FAILED') {
      return error.details['issues'] as ValidationIssue[];
    }
    throw error;
  }
  throw new Error('It reported nothing.');
}
