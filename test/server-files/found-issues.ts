import { DomainError, type ValidationIssue } from '../../src/errors.ts';

/** The issues of a VALIDATION_FAILED error; fails on any other outcome. */
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
