import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { createAnswerMemory } from '../answer-memory.ts';
import type { GraphQLContext } from '../context.ts';

/**
 * Gives an answer again while nothing that it is made of changed: lists of configs are asked for all the time, and
 * resolving thousands of fields costs more than all else. What is asked is parsed, checked and reported as ever; who
 * asks, with which role, is part of what an answer is found by.
 */
export function useAnswerMemory(schema: GraphQLSchema): Plugin {
  const memory = createAnswerMemory(schema);
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { document, operationName, variableValues, contextValue } = args as ExecutionArgs;
      const { viewer, services } = contextValue as GraphQLContext;
      const about = { operationName: operationName ?? undefined, variables: variableValues };
      const key = memory.toKey(document, about, viewer);
      if (key === undefined) return;
      setExecuteFn(async (given: ExecutionArgs): Promise<ExecutionResult> => {
        const stamp = await services.answerStamp.fresh();
        const known = memory.find(key, stamp);
        if (known !== undefined) return known;
        const result = (await executeFn(given)) as ExecutionResult;
        // What changed while it was made may be in a part of it.
        return services.answerStamp.current() === stamp ? memory.remember(key, stamp, result) : result;
      });
    },
  };
}
