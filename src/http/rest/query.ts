import { type ValidationIssue, validationFailed } from '../../errors.ts';
import { REQUEST_LIMITS } from '../../limits/request-limits.ts';

const MAX_ISSUES = REQUEST_LIMITS.issues.value;
const MAX_SHOWN_NAME = 64;

/**
 * Refuses query parameters. No operation of the REST API reads any, so a parameter would have no effect. Only the callback
 * takes some, and ignores unknown ones as RFC 6749, section 4.1.2, requires.
 *
 * @param known the one parameter that this address takes
 * @throws VALIDATION_FAILED with the names of the parameters
 */
export function assertNoQuery(url: string, known?: string): void {
  const names = new Set(new URL(url).searchParams.keys());
  if (known !== undefined) names.delete(known);
  if (names.size === 0) return;
  const issues = [...names].slice(0, MAX_ISSUES).map(
    (name): ValidationIssue => ({
      path: [name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name],
      code: 'UNKNOWN_PARAMETER',
      message: 'Is not a known query parameter: this address takes none.',
    }),
  );
  throw validationFailed(issues);
}
