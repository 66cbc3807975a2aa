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
import { createAnswerMemory } from './answer-memory.ts';
import { createContext, type GraphQLServerContext } from './context.ts';
import { pickDeclared, type Variables } from './declared-variables.ts';
import { createDocumentMemory } from './document-memory.ts';
import type { OpenResults } from './event-stream.ts';
import { guardedSchema as schema } from './guarded-schema.ts';
import { createErrorMask, toGraphQLError } from './mask-error.ts';
import type { OperationReport } from './operation-report.ts';
import { useAnswerMemory } from './plugins/use-answer-memory.ts';
import { useBudget } from './plugins/use-budget.ts';
import { useDocumentErrors } from './plugins/use-document-errors.ts';
import { useDocumentIds } from './plugins/use-document-ids.ts';
import { useDocumentMemory } from './plugins/use-document-memory.ts';
import { useEventStream } from './plugins/use-event-stream.ts';
import { useFreshContext } from './plugins/use-fresh-context.ts';
import { useIntrospectionGuard } from './plugins/use-introspection-guard.ts';
import { useLimits } from './plugins/use-limits.ts';
import { useOperationReport } from './plugins/use-operation-report.ts';
import { createRequestBody, type RequestBody, useRequestBody } from './plugins/use-request-body.ts';
import { useVariableCheck } from './plugins/use-variable-check.ts';
import { emptyParams } from './request-params.ts';
import { createDocumentIds, type DocumentParams } from './trusted-documents/document-ids.ts';
import type { TrustedDocuments } from './trusted-documents/load-trusted-documents.ts';

/** The dependencies of the graph. */
export interface GraphQLOptions {
  services: Services;
  trustedDocuments: TrustedDocuments;
  caches: Caches;
  log: Logger;
  reportOperation: OperationReport;
}

/** The parts of an HTTP request that the graph needs. */
export interface GraphQLRequest {
  method: string;
  url: string;
  /** The `Accept` header. Undefined if there is none. */
  accept: string | undefined;
  /** JSON; undefined for a method without a body. */
  body: string | undefined;
}

/** Answers GraphQL over HTTP. The HTTP room has already authenticated the caller and checked the size and the origin. */
export type GraphQLHandler = (
  request: GraphQLRequest,
  context: GraphQLServerContext,
) => Promise<Response | WholeGraphQLAnswer>;

/** An answer that is no stream. */
export interface WholeGraphQLAnswer {
  status: number;
  headers: Record<string, string>;
  /** Null for an answer without a body. */
  text: string | null;
}

/** An operation from a WebSocket message. */
export interface OperationMessage extends DocumentParams {
  /** Empty if the message names its document. */
  query: string;
  operationName?: string | null | undefined;
  variables?: Variables | null | undefined;
}

/** An operation that is parsed and checked, with its context. */
export interface PreparedOperation {
  args: ExecutionArgs;
  /** Returns one result, or the results of a subscription. */
  run(): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
}

/** The interface of the graph. */
export interface GraphQLFace {
  handle: GraphQLHandler;
  /**
   * Prepares one operation, with the same checks as `handle`. Returns the errors instead, if there are any. The
   * message is empty afterwards, so that its content is freed while its stream is open.
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

/** Puts the plugins around the guarded schema, once for each gateway. */
export function createGraphQL({
  services,
  trustedDocuments,
  caches,
  log,
  reportOperation,
}: GraphQLOptions): GraphQLFace {
  const answers = createAnswerMemory(schema, caches);
  const documents = createDocumentMemory(caches);
  const documentIds = createDocumentIds(trustedDocuments, caches);
  const openResults: OpenResults = new WeakMap();
  const maskError = createErrorMask(log);
  const yoga = createYoga<GraphQLServerContext & RequestBody>({
    schema,
    graphqlEndpoint: '/graphql',
    context: (context: GraphQLServerContext) => createContext(services, context),
    // The HTTP room handles both. Yoga's defaults run cross-site forms and allow any origin with credentials.
    cors: false,
    graphiql: false,
    landingPage: false,
    multipart: false,
    // The HTTP room has read the body and checked its size.
    maxRequestBodySize: false,
    batching: false,
    // Its limit is a number of documents, not of bytes.
    parserAndValidationCache: false,
    logging: false,
    maskedErrors: { maskError, isDev: false },
    plugins: [
      useRequestBody(),
      useDocumentIds(documentIds, log),
      useDocumentErrors(),
      useDocumentMemory(documents),
      useLimits(),
      useIntrospectionGuard(),
      useOperationReport(reportOperation),
      useVariableCheck(),
      useBudget(),
      useAnswerMemory(answers),
      useFreshContext(answers, documents, openResults),
      useEventStream(openResults, maskError),
    ],
  });

  const prepare: GraphQLFace['prepare'] = async (message, context) => {
    // Yoga expects a request from its own server in the context. A message has none.
    const { parse, validate, contextFactory, execute, subscribe, ...enveloped } = yoga.getEnveloped(context as never);
    const { operationName, variables } = message;
    let document: DocumentNode;
    let register: (() => void) | undefined;
    try {
      register = documentIds.resolve(message);
      document = parse(message.query);
      emptyParams(message);
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    const errors = validate(enveloped.schema, document) as readonly GraphQLError[];
    if (errors.length > 0) return errors;
    register?.();
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
    // Yoga's own request class. Node's class turns a text into a stream, and creates an unused abort signal.
    const headers = accept === undefined ? {} : { accept };
    const request = new yoga.fetchAPI.Request(url, { method, headers });
    return toPlainAnswer(await yoga.fetch(request, { ...context, ...createRequestBody(body) }));
  };

  return { prepare, handle };
}

/**
 * Reads the text of an answer of Yoga's own `Response` class. Node treats its body as a plain iterable: if a client disconnects in
 * the middle of it, Node closes the body twice, and the error ends the process. Streams use Node's class already.
 */
async function toPlainAnswer(response: Response): Promise<Response | WholeGraphQLAnswer> {
  if (response instanceof Response) return response;
  const { status, body, headers } = response as Response;
  const text = body === null ? null : await (response as Response).text();
  // Yoga gives a whole answer as events the coding "none". There is none of that name (RFC 9110, section 8.4.1).
  const fields = [...headers].filter(([name, value]) => name.toLowerCase() !== 'content-encoding' || value !== 'none');
  return { status, headers: Object.fromEntries(fields), text };
}
