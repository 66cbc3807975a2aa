import type { CombinedError } from '@urql/core';

/** A problem of one field of an input, in the server's words. */
export interface Issue {
  path: readonly (string | number)[];
  message: string;
}

/** The stable code of the first error of an answer; undefined for other failures. */
export function codeOf(error: CombinedError | undefined): string | undefined {
  const code = error?.graphQLErrors[0]?.extensions['code'];
  return typeof code === 'string' ? code : undefined;
}

/** The problems of single fields. */
export function issuesOf(error: CombinedError | undefined): Issue[] {
  const issues = error?.graphQLErrors[0]?.extensions['issues'];
  return Array.isArray(issues) ? (issues as Issue[]) : [];
}

/** What went wrong, as a sentence for the user. */
export function messageOf(error: CombinedError): string {
  if (error.networkError !== undefined && error.graphQLErrors.length === 0) {
    return 'The gateway cannot be reached. Check your network, then try again.';
  }
  const [first] = error.graphQLErrors;
  const errorId = first?.extensions['errorId'];
  const message = first?.message ?? 'Something went wrong.';
  return typeof errorId === 'string' ? `${message} The log has it under ${errorId}.` : message;
}
