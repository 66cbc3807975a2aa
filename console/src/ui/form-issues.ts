import type { CombinedError } from '@urql/core';
import { issuesOf } from '../graph/errors.ts';

/** The problems of an answer, split by where they are shown. */
export interface SplitIssues {
  /** What is wrong with a field, in the server's words. */
  problemOf(field: string): string | undefined;
  /** The error, if it has something that belongs to none of the fields. */
  rest: CombinedError | undefined;
}

/** Finds the field of each problem. @param fields that the form shows */
export function splitIssues(error: CombinedError | undefined, fields: readonly string[]): SplitIssues {
  const issues = issuesOf(error);
  const conflict = error?.graphQLErrors[0]?.extensions['field'];
  const fieldOf = (path: readonly (string | number)[]): string => String(path[0] === 'input' ? path[1] : path[0]);
  const placed = issues.filter(({ path }) => fields.includes(fieldOf(path)));
  const isConflictPlaced = typeof conflict === 'string' && fields.includes(conflict);
  const isAllPlaced = isConflictPlaced || (issues.length > 0 && placed.length === issues.length);
  return {
    problemOf(field) {
      if (isConflictPlaced && conflict === field) return error?.graphQLErrors[0]?.message;
      const messages = placed.filter(({ path }) => fieldOf(path) === field).map(({ message }) => message);
      return messages.length === 0 ? undefined : messages.join(' ');
    },
    rest: isAllPlaced ? undefined : error,
  };
}
