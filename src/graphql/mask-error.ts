import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { scrubDatabaseError } from '../data/database-error.ts';
import { DomainError, formatPath, type ValidationIssue } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Turns whatever was thrown into what the caller is told: a coded error as it is, the graph's own complaints about the
 * document without the values in it, anything else as INTERNAL_SERVER_ERROR with the id under which it was logged.
 */
export function createErrorMask(log: Logger): (error: unknown) => Error {
  return (error) => {
    if (!(error instanceof GraphQLError)) return mask(log, error);
    const { originalError } = error;
    if (originalError instanceof DomainError) return toGraphQLError(originalError, error);
    if (originalError instanceof GraphQLError || originalError == null) return withoutValues(error);
    return mask(log, originalError, error);
  };
}

/** A coded error with its code and details as extensions, at the place of the field it came from. */
export function toGraphQLError(error: DomainError, at?: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, { ...placeOf(at), extensions: { code: error.code, ...error.details } });
}

/** Where in the document and the answer an error is. */
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

/** `Variable "$input" got invalid value <value> at "input.slug"; <reason>` */
const COERCION = /^Variable "\$([^"]+)" got invalid value [\s\S]*?(?: at "([^"]+)")?; ([\s\S]+)$/;
/** `Variable "$id" of required type "UUID!" was not provided.` and its kin. */
const MISSING_VARIABLE = /^Variable "\$([^"]+)" of (?:required|non-null) type/;
/** graphql-js ends a scalar's complaint with the value: `String cannot represent a non string value: 5`. */
const TRAILING_VALUE = /((?:cannot represent|is not a valid|Expected value of type)[^:]*?)(?: value)?: [\s\S]*$/;

/**
 * graphql-js repeats values in its messages, an input's secrets among them. Says the same without them, with the code
 * and the path of a validation failure where the input is wrong.
 */
function withoutValues(error: GraphQLError): GraphQLError {
  const [, variable, at, reason] = COERCION.exec(error.message) ?? [];
  const missing = MISSING_VARIABLE.exec(error.message)?.[1];
  if (variable !== undefined && reason !== undefined) {
    const path = (at ?? variable).split(/[.[\]]+/).filter((step) => step !== '').map(toStep);
    return toValidationError(error, { path, code: 'INVALID_TYPE', message: withoutTrailingValue(reason) });
  }
  if (missing !== undefined) {
    return toValidationError(error, { path: [missing], code: 'REQUIRED', message: 'Is required and was not given.' });
  }
  if (!TRAILING_VALUE.test(error.message)) return error;
  return new GraphQLError(withoutTrailingValue(error.message), { ...placeOf(error), extensions: error.extensions });
}

function toValidationError(error: GraphQLError, issue: ValidationIssue): GraphQLError {
  const message = `${formatPath(issue.path)}: ${issue.message}`;
  const extensions = { ...error.extensions, code: 'VALIDATION_FAILED', issues: [issue] };
  return new GraphQLError(message, { ...placeOf(error), extensions });
}

function withoutTrailingValue(message: string): string {
  return message.replace(TRAILING_VALUE, '$1 value.');
}

function toStep(step: string): string | number {
  return /^\d+$/.test(step) ? Number(step) : step;
}
