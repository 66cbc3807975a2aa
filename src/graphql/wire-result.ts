import type { ExecutionResult, FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';

/** An error as a client gets it: less what is for the HTTP layer. */
export function toWireError(error: GraphQLError): GraphQLFormattedError {
  const { extensions = {}, ...rest } = error.toJSON();
  const { http: _, ...told } = extensions;
  return { ...rest, extensions: told };
}

/** A result as a client gets it. */
export function toWireResult({
  data = null,
  errors,
}: {
  data?: ExecutionResult['data'] | undefined;
  errors?: ExecutionResult['errors'] | undefined;
}): FormattedExecutionResult {
  return errors === undefined ? { data } : { data, errors: errors.map(toWireError) };
}
