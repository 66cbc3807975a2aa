import { createYoga } from 'graphql-yoga';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createContext, type GraphQLServerContext, type GraphQLServices } from './context.ts';
import { createErrorMask } from './mask-error.ts';
import { guardRootFields } from './permissions.ts';
import { useAnswerMemory } from './plugins/use-answer-memory.ts';
import { useDocumentErrors } from './plugins/use-document-errors.ts';
import { useFreshContext } from './plugins/use-fresh-context.ts';
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
  const schema = guardRootFields(buildSchema());
  const yoga = createYoga<GraphQLServerContext>({
    schema,
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
      useAnswerMemory(schema),
      useFreshContext(),
    ],
  });
  return async (request, context) => toPlainResponse(await yoga.fetch(request, context));
}

/**
 * The answer as one of Node's own. Yoga's are of a stand-in whose body Node takes for any iterable; when a client goes
 * away in the middle of such a body, Node closes it twice, which nobody can catch and which ends the process.
 */
async function toPlainResponse(response: Response): Promise<Response> {
  const { status, body } = response;
  const headers = new Headers([...response.headers]);
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (body === null || !isStream)
    return new Response(body === null ? null : await response.text(), { status, headers });
  const reader = body.getReader();
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await reader.read();
      if (isCancelled) return;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason) {
      isCancelled = true;
      await reader.cancel(reason);
    },
  });
  return new Response(stream, { status, headers });
}
