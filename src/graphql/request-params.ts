import { GraphQLError } from 'graphql';

/** What a request asks for, as parsed from its body. */
export interface RequestParams {
  query?: unknown;
  operationName?: unknown;
  variables?: unknown;
  extensions?: unknown;
}

/** Parses a body. Yoga checks what is in it. @throws GraphQLError if it is not a JSON object or array */
export function parseParams(body: string): RequestParams {
  let params: unknown;
  try {
    params = JSON.parse(body);
  } catch {
    throw malformed('The body is not valid JSON.');
  }
  if (typeof params !== 'object' || params === null) throw malformed('The body must be a JSON object.');
  return params;
}

/**
 * Empties the parameters of a request whose stream continues. Yoga and graphql-ws keep the object until the stream ends,
 * however large it is.
 */
export function emptyParams(params: object): void {
  for (const name of Object.keys(params)) delete (params as Record<string, unknown>)[name];
}

function malformed(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { http: { spec: true, status: 400 }, code: 'BAD_REQUEST' } });
}
