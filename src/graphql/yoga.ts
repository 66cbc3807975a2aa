import { createYoga } from 'graphql-yoga';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createContext, type GraphQLServerContext, type GraphQLServices } from './context.ts';
import { createErrorMask } from './mask-error.ts';
import { guardRootFields } from './permissions.ts';
import { useDocumentErrors } from './plugins/use-document-errors.ts';
import { useIntrospectionGuard } from './plugins/use-introspection-guard.ts';
import { useLimits } from './plugins/use-limits.ts';
import { useOperationReport } from './plugins/use-operation-report.ts';
import { useVariableCheck } from './plugins/use-variable-check.ts';
import { buildSchema } from './schema.ts';

/** What the graph resolves and reports with. */
export interface GraphQLHandlerOptions {
  services: GraphQLServices;
  log: Logger;
  metrics: Metrics;
}

/** Answers GraphQL over HTTP requests. What comes here is authenticated, measured and checked by the HTTP room. */
export type GraphQLHandler = (request: Request, context: GraphQLServerContext) => Promise<Response>;

/** Builds the guarded schema with its plugins, once. */
export function createGraphQLHandler({ services, log, metrics }: GraphQLHandlerOptions): GraphQLHandler {
  const yoga = createYoga<GraphQLServerContext>({
    schema: guardRootFields(buildSchema()),
    graphqlEndpoint: '/graphql',
    context: (context: GraphQLServerContext) => createContext(services, context),
    // The HTTP room has its own: the defaults run cross-site forms and answer any origin with credentials.
    cors: false,
    graphiql: false,
    landingPage: false,
    multipart: false,
    batching: false,
    logging: false,
    maskedErrors: { maskError: createErrorMask(log), isDev: false },
    plugins: [
      useDocumentErrors(),
      useLimits(),
      useIntrospectionGuard(),
      useOperationReport({ log, metrics }),
      useVariableCheck(),
    ],
  });
  return async (request, context) => yoga.fetch(request, context);
}
