import type { ExecutionArgs, ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { AnswerMemory } from '../answer-memory.ts';
import type { GraphQLContext } from '../context.ts';

/**
 * Reuses an answer while nothing that it depends on has changed. Clients list configs all the time, and resolving
 * thousands of fields is the most expensive part. Each request is still parsed, validated and logged, and the lookup
 * includes the caller and their role.
 */
export function useAnswerMemory(memory: AnswerMemory): Plugin {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { document, operationName, variableValues: variables, contextValue } = args as ExecutionArgs;
      setExecuteFn((given: ExecutionArgs) => {
        const make = async () => (await executeFn(given)) as ExecutionResult;
        return memory.answer(document, { operationName, variables }, contextValue as GraphQLContext, make);
      });
    },
  };
}
