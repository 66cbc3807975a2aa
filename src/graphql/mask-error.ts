import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { scrubDatabaseError } from '../data/database/database-error.ts';
import { DomainError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { toDocumentError } from './document-error.ts';

/**
 * Turns any thrown error into what the caller may see. A coded error stays as it is; GraphQL's own errors about the
 * document lose their values; everything else becomes INTERNAL_SERVER_ERROR with the id under which it was logged.
 */
export function createErrorMask(log: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    if (error instanceof DomainError) return toGraphQLError(error);
    if (!(error instanceof GraphQLError)) return mask(log, error);
    const { originalError } = error;
    if (originalError instanceof DomainError) return toGraphQLError(originalError, error);
    // Errors of graphql-shield and GraphQL errors with a code keep their code.
    if (typeof error.extensions['code'] === 'string' && error.path !== undefined) return error;
    if (originalError == null) return toDocumentError(error);
    // An invalid argument has a place in the document; a result that cannot be serialised has none.
    if (originalError instanceof GraphQLError && originalError.nodes !== undefined) return toDocumentError(error);
    return mask(log, originalError, error);
  };
}

/** A coded error as a GraphQL error: code and details become extensions, and it points to the field it came from. */
export function toGraphQLError(error: DomainError, at?: GraphQLError): GraphQLError {
  const { http } = at?.extensions ?? {};
  return new GraphQLError(error.message, {
    ...placeOf(at),
    extensions: { ...(http !== undefined && { http }), code: error.code, ...error.details },
  });
}

/**
 * A coded error for a request that is not executed, with its HTTP status. A client that accepts only `application/json` gets
 * 200, as for an invalid document.
 */
export function toRequestError(error: DomainError, status: number): GraphQLError {
  const http = { spec: true, status };
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { http, code: error.code, ...error.details },
  });
}

/** The error's position in the document and in the answer. */
function placeOf(error: GraphQLError | undefined) {
  const { nodes, source, positions, path } = error ?? {};
  return { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null, path: path ?? null };
}

function mask(log: Logger, error: unknown, at?: GraphQLError): GraphQLError {
  const errorId = randomUUID();
  log.error({ errorId, path: at?.path, err: scrubDatabaseError(error) }, 'unexpected error in an operation');
  const masked = new DomainError(
    'INTERNAL_SERVER_ERROR',
    `Something went wrong in the gateway; its log has the reason under ${errorId}.`,
    { errorId },
  );
  return toGraphQLError(masked, at);
}
