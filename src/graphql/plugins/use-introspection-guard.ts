import { NoSchemaIntrospectionCustomRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { GraphQLServerContext } from '../context.ts';

/** Allows introspection only for signed-in callers. */
export function useIntrospectionGuard(): Plugin<GraphQLServerContext> {
  return {
    onValidate({ context, addValidationRule }) {
      if ((context as unknown as GraphQLServerContext).viewer.kind === 'nobody') {
        addValidationRule(NoSchemaIntrospectionCustomRule);
      }
    },
  };
}
