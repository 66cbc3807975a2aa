import { GraphQLError } from 'graphql';
import { formatPath, type ValidationIssue } from '../errors.ts';

/** `Variable "$input" got invalid value <value> at "input.slug"; <reason>` */
const COERCION = /^Variable "\$([^"]+)" got invalid value [\s\S]*?(?: at "([^"]+)")?; ([\s\S]+)$/;
/** `Variable "$id" of required type "UUID!" was not provided.` and its kin. */
const MISSING_VARIABLE = /^Variable "\$([^"]+)" of (?:required|non-null) type/;
const MISSING_FIELD = /^Field "([^"]+)" of required type/;
const UNKNOWN_FIELD = /^Field "([^"]+)" is not defined by type/;
/** graphql-js and the scalars end a complaint with the value: `String cannot represent a non string value: 5`. */
const TRAILING_VALUE =
  /((?:cannot represent|is not a valid|Expected value of type)[^:]*?)(?: value)?(?:: |, found )[\s\S]*$/;
const ENUM_VALUE = /^Value [\s\S]+ does not exist in ("[^"]+" enum)/;

/**
 * What the graph itself complains about before anything runs: syntax, validation, variables. graphql-js repeats
 * values in these messages, an input's secrets among them; this says the same without the values, with the code
 * VALIDATION_FAILED and, for variables, the path of the field.
 */
export function toDocumentError(error: GraphQLError): GraphQLError {
  const issue = toIssue(error.message);
  const where = formatPath(issue.path);
  const { nodes, source, positions, path, extensions } = error;
  return new GraphQLError(where === '' ? issue.message : `${where}: ${issue.message}`, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions: { ...extensions, code: 'VALIDATION_FAILED', issues: [issue] },
  });
}

function toIssue(message: string): ValidationIssue {
  const missing = MISSING_VARIABLE.exec(message)?.[1];
  if (missing !== undefined) return { path: [missing], code: 'REQUIRED', message: 'Is required and was not given.' };
  const [, variable, at, reason] = COERCION.exec(message) ?? [];
  if (variable === undefined || reason === undefined) {
    return { path: [], code: 'INVALID_DOCUMENT', message: withoutValue(message) };
  }
  // Inside of an input object the path starts at the object, as that of every other validation failure.
  const path = at === undefined ? [variable] : toPath(at).slice(1);
  const missingField = MISSING_FIELD.exec(reason)?.[1];
  if (missingField !== undefined) {
    return {
      path: [...toPath(at ?? '').slice(1), missingField],
      code: 'REQUIRED',
      message: 'Is required and was not given.',
    };
  }
  const unknownField = UNKNOWN_FIELD.exec(reason)?.[1];
  if (unknownField !== undefined) {
    return {
      path: [...toPath(at ?? '').slice(1), unknownField],
      code: 'UNKNOWN_FIELD',
      message: 'Is not a field of this input.',
    };
  }
  return { path, code: 'INVALID_TYPE', message: withoutValue(reason) };
}

function withoutValue(message: string): string {
  return message.replace(TRAILING_VALUE, '$1 value.').replace(ENUM_VALUE, 'The value does not exist in $1');
}

/** `input.customHeaders[0].name` as steps. */
function toPath(text: string): (string | number)[] {
  return text
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
