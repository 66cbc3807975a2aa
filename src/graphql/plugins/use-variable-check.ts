import { type ExecutionArgs, type ExecutionResult, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { validationFailed } from '../../errors.ts';
import { pickDeclared } from '../declared-variables.ts';
import { toRequestError } from '../mask-error.ts';
import { findVariableIssues } from '../variable-issues.ts';

/**
 * Drops undeclared variables, so that nothing keeps them, and refuses variables of wrong types before graphql-js does: all
 * problems in one error.
 */
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
    const declared = pickDeclared(operation, args.variableValues);
    args.variableValues = declared;
    const issues = findVariableIssues(args.schema, operation, declared);
    if (issues.length === 0) return;
    setResultAndStopExecution({ errors: [toRequestError(validationFailed(issues), 400)] });
  };
  return { onExecute: check, onSubscribe: check };
}
