import { type ExecutionArgs, type ExecutionResult, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { validationFailed } from '../../errors.ts';
import { toGraphQLError } from '../mask-error.ts';
import { findVariableIssues } from '../variable-issues.ts';

/** Refuses variables of wrong types before graphql-js does, and reports all problems in one error. */
export function useVariableCheck(): Plugin {
  const check = ({
    args,
    setResultAndStopExecution,
  }: {
    args: ExecutionArgs;
    setResultAndStopExecution(result: ExecutionResult): void;
  }): void => {
    const operation = getOperationAST(args.document, args.operationName);
    // graphql-js reports that the operation is not unique or missing.
    if (operation == null) return;
    const issues = findVariableIssues(args.schema, operation, args.variableValues ?? {});
    if (issues.length === 0) return;
    const error = toGraphQLError(validationFailed(issues));
    // Same status as an invalid document: 200 if the client accepts only `application/json`.
    error.extensions['http'] = { spec: true, status: 400 };
    setResultAndStopExecution({ errors: [error] });
  };
  return { onExecute: check, onSubscribe: check };
}
