import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  OperationTypeNode,
} from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Caches } from '../cache/caches.ts';
import type { Services } from '../domain/services.ts';
import { validationFailed } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createAnswerMemory } from './answer-memory.ts';
import { chargeFields } from './budget/charge-fields.ts';
import { createContext, type GraphQLServerContext } from './context.ts';
import { pickDeclared, type Variables } from './declared-variables.ts';
import { createDocumentMemory } from './document-memory.ts';
import { createErrorMask, toGraphQLError } from './mask-error.ts';
import { guardRootFields } from './permissions.ts';
import { useAnswerMemory } from './plugins/use-answer-memory.ts';
import { useBudget } from './plugins/use-budget.ts';
import { useDocumentErrors } from './plugins/use-document-errors.ts';
import { useDocumentMemory } from './plugins/use-document-memory.ts';
import { useEventStream } from './plugins/use-event-stream.ts';
import { useFreshContext } from './plugins/use-fresh-context.ts';
import { useIntrospectionGuard } from './plugins/use-introspection-guard.ts';
import { useLimits } from './plugins/use-limits.ts';
import { useOperationReport } from './plugins/use-operation-report.ts';
import { createRequestBody, type RequestBody, useRequestBody } from './plugins/use-request-body.ts';
import { useVariableCheck } from './plugins/use-variable-check.ts';
import { emptyParams } from './request-params.ts';
import { buildSchema } from './schema.ts';

/** What the graph resolves and reports with. */
export interface GraphQLOptions {
  services: Services;
  caches: Caches;
  log: Logger;
  metrics: Metrics;
}

/** What of an HTTP request is for the graph. */
export interface GraphQLRequest {
  method: string;
  url: string;
  /** What the client takes for an answer; undefined when it does not say. */
  accept: string | undefined;
  /** JSON; undefined for a method without a body. */
  body: string | undefined;
}

/** Answers GraphQL over HTTP requests. What comes here is authenticated, measured and checked by the HTTP room. */
export type GraphQLHandler = (request: GraphQLRequest, context: GraphQLServerContext) => Promise<Response>;

/** An operation that came as a message and not as an HTTP request. */
export interface OperationMessage {
  query: string;
  operationName?: string | null | undefined;
  variables?: Variables | null | undefined;
}

/** One that is ready to run: parsed, checked, with its context. */
export interface PreparedOperation {
  args: ExecutionArgs;
  /** One result, or those of a subscription. */
  run(): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
}

/** The graph, as it is asked. */
export interface GraphQLFace {
  handle: GraphQLHandler;
  /**
   * Prepares one operation, with the same checks as `handle`. Gives what is wrong with it instead, if something is. The
   * message is empty afterwards, so that it does not last as long as its stream.
   */
  prepare(
    message: OperationMessage,
    context: GraphQLServerContext,
  ): Promise<PreparedOperation | readonly GraphQLError[]>;
}

const NO_SUCH_OPERATION = validationFailed([
  {
    path: ['operationName'],
    code: 'INVALID_DOCUMENT',
    message: 'Name one of the operations of the document as "operationName".',
  },
]);

/** Builds the guarded schema with its plugins, once. */
export function createGraphQL({ services, caches, log, metrics }: GraphQLOptions): GraphQLFace {
  const schema = chargeFields(guardRootFields(buildSchema()));
  const answers = createAnswerMemory(schema, caches);
  const documents = createDocumentMemory(caches);
  const yoga = createYoga<GraphQLServerContext & RequestBody>({
    schema,
    graphqlEndpoint: '/graphql',
    context: (context: GraphQLServerContext) => createContext(services, context),
    // The HTTP room has its own: the defaults run cross-site forms and answer any origin with credentials.
    cors: false,
    graphiql: false,
    landingPage: false,
    multipart: false,
    // The HTTP room has read the body, and looked at its size.
    maxRequestBodySize: false,
    batching: false,
    // Counts documents and not their bytes.
    parserAndValidationCache: false,
    logging: false,
    maskedErrors: { maskError: createErrorMask(log), isDev: false },
    plugins: [
      useRequestBody(),
      useDocumentErrors(),
      useDocumentMemory(documents),
      useLimits(),
      useIntrospectionGuard(),
      useOperationReport({ log, metrics }),
      useVariableCheck(),
      useBudget(),
      useAnswerMemory(answers),
      useFreshContext(answers, documents),
      useEventStream(),
    ],
  });

  const prepare: GraphQLFace['prepare'] = async (message, context) => {
    const { query, operationName, variables } = message;
    emptyParams(message);
    // Yoga takes what its own server knows of a request for a part of the context, and here is none.
    const { parse, validate, contextFactory, execute, subscribe, ...enveloped } = yoga.getEnveloped(context as never);
    let document: DocumentNode;
    try {
      document = parse(query);
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    const errors = validate(enveloped.schema, document) as readonly GraphQLError[];
    if (errors.length > 0) return errors;
    const operation = getOperationAST(document, operationName);
    if (operation == null) return [toGraphQLError(NO_SUCH_OPERATION)];
    const args: ExecutionArgs = {
      schema: enveloped.schema,
      document,
      operationName: operationName ?? null,
      variableValues: pickDeclared(operation, variables),
      contextValue: await contextFactory(),
    };
    const isSubscription = operation.operation === OperationTypeNode.SUBSCRIPTION;
    return { args, run: async () => (isSubscription ? subscribe(args) : execute(args)) };
  };

  const handle: GraphQLHandler = async ({ method, url, accept, body }, context) => {
    // Yoga's own kind of request: one of Node's makes a stream of a text, and a signal that nobody listens to.
    const headers = accept === undefined ? {} : { accept };
    const request = new yoga.fetchAPI.Request(url, { method, headers });
    return toPlainResponse(await yoga.fetch(request, { ...context, ...createRequestBody(body) }));
  };

  return { prepare, handle };
}

/**
 * The answer as one of Node's own. Yoga's are of a stand-in whose body Node takes for any iterable; when a client goes
 * away in the middle of such a body, Node closes it twice, which nobody can catch and which ends the process. Streams
 * are Node's own from the beginning.
 */
async function toPlainResponse(response: Response): Promise<Response> {
  if (response instanceof Response) return response;
  const { status, body, headers } = response as Response;
  const text = body === null ? null : await (response as Response).text();
  return new Response(text, { status, headers: Object.fromEntries(headers) });
}
