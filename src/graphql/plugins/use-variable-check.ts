import { type ExecutionArgs, type ExecutionResult, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { validationFailed } from '../../errors.ts';
import { toGraphQLError } from '../mask-error.ts';
import { findVariableIssues } from '../variable-issues.ts';

/** Refuses variables of wrong types with all problems in one error, before graphql-js can complain about them. */
export function useVariableCheck(): Plugin {
  const check = ({
    args,
    setResultAndStopExecution,
  }: {
    args: ExecutionArgs;
    setResultAndStopExecution(result: ExecutionResult): void;
  }): void => {
    const operation = getOperationAST(args.document, args.operationName);
    // Which operation is meant is for graphql-js to ask.
    if (operation == null) return;
    const issues = findVariableIssues(args.schema, operation, args.variableValues ?? {});
    if (issues.length === 0) return;
    const error = toGraphQLError(validationFailed(issues));
    // As of a document that is not valid: 200 where the client accepts `application/json` only.
    error.extensions['http'] = { spec: true, status: 400 };
    setResultAndStopExecution({ errors: [error] });
  };
  return { onExecute: check, onSubscribe: check };
}
