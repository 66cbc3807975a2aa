import { type ExecutionArgs, type ExecutionResult, getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { runWithinBudget } from '../budget/run-within-budget.ts';
import type { GraphQLContext } from '../context.ts';

/** Ends operations that cost too much while they run. Each event of a subscription has a budget of its own. */
export function useBudget(): Plugin {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { document, operationName } = args as ExecutionArgs;
      const isMutation = getOperationAST(document, operationName)?.operation === OperationTypeNode.MUTATION;
      const context = args.contextValue as unknown as GraphQLContext;
      if (isMutation) context.budget.runToItsEnd();
      setExecuteFn((given: ExecutionArgs) =>
        runWithinBudget(context.budget, () => executeFn(given) as ExecutionResult | Promise<ExecutionResult>),
      );
    },
  };
}
