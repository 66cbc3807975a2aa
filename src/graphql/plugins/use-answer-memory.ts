import type { ExecutionArgs, ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { AnswerMemory } from '../answer-memory.ts';
import type { GraphQLContext } from '../context.ts';

/**
 * Gives an answer again while nothing that it is made of changed: lists of configs are asked for all the time, and
 * resolving thousands of fields costs more than all else. What is asked is parsed, checked and reported as ever; who
 * asks, with which role, is part of what an answer is found by.
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
