import { type ExecutionResult, GraphQLError } from 'graphql';
import type { OperationBudget } from './operation-budget.ts';

/**
 * Executes an operation until it is done or its budget is spent. In that case the answer is one error and nothing else:
 * half an answer would look like a whole one.
 */
export async function runWithinBudget(
  budget: OperationBudget,
  execute: () => ExecutionResult | Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  const running = execute();
  // What goes on meanwhile never ends, and is forgotten.
  const result = running instanceof Promise ? await Promise.race([running, budget.refused]) : running;
  const { refusal } = budget;
  if (refusal === undefined) return result as ExecutionResult;
  return { data: null, errors: [new GraphQLError(refusal.message, { originalError: refusal })] };
}
