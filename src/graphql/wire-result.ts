import type { ExecutionResult, FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';

/** An error as it is sent to a client: without the extensions for the HTTP layer. */
export function toWireError(error: GraphQLError): GraphQLFormattedError {
  const { extensions = {}, ...rest } = error.toJSON();
  const { http: _, ...told } = extensions;
  return { ...rest, extensions: told };
}

/** A result as it is sent to a client. */
export function toWireResult({
  data = null,
  errors,
}: {
  data?: ExecutionResult['data'] | undefined;
  errors?: ExecutionResult['errors'] | undefined;
}): FormattedExecutionResult {
  return errors === undefined ? { data } : { data, errors: errors.map(toWireError) };
}
