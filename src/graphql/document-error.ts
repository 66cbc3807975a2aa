import { GraphQLError, Kind } from 'graphql';
import type { ValidationIssue } from '../errors.ts';

/** The token that the parser quotes where it stopped: `found String "…"`. The text before it is the parser's own. */
const FOUND_TOKEN = /(found|Unexpected) (Name|String|BlockString|Int|Float|Comment) "[\s\S]*$/;
/** The same for characters that form no token: `escape sequence: "…"`. */
const FOUND_CHARACTERS = /: "[\s\S]*$/;

/** How execution begins a message about a literal or variable. It then prints the value. */
const INVALID_VALUE = /^(?:Argument "\w+" has|Variable "\$\w+" got) invalid value/;

/** How validation begins a message about a literal, up to the expected type. The value follows. */
const EXPECTED_TYPE = [
  /^Expected value of type "([\w![\]]+)"/,
  /^(\w+) cannot represent/,
  /^Enum "(\w+)" cannot represent/,
  /^Value "\w+" does not exist in "(\w+)" enum/,
];
const MISSING_FIELD = /^Field "[\w.]+" of required type "[\w![\]]+" was not provided\.$/;

const VALUE_KINDS: ReadonlySet<string> = new Set([
  Kind.VARIABLE,
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
]);

/**
 * Turns an error of GraphQL itself (request, syntax, validation, arguments) into VALIDATION_FAILED without any values.
 * graphql-js repeats values in its messages, which may be secrets, and its HTTP layer quotes broken JSON. Variables are
 * checked separately: `findVariableIssues`.
 */
export function toDocumentError(error: GraphQLError): GraphQLError {
  if (Array.isArray(error.extensions['issues'])) return error;
  const message = describeWithoutValues(error);
  const issue: ValidationIssue = { path: [], code: 'INVALID_DOCUMENT', message };
  const { nodes, source, positions, path } = error;
  const http = toHttp(error);
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions: { ...(http !== undefined && { http }), code: 'VALIDATION_FAILED', issues: [issue] },
  });
}

/**
 * Status and headers for the HTTP layer, which removes them from the answer. A malformed request has its status for
 * every media type; with `spec`, clients of `application/json` get 200, which is meant for errors in the document.
 */
function toHttp({ nodes, source, extensions }: GraphQLError): object | undefined {
  const { http } = extensions as { http?: { spec?: boolean } };
  if (http === undefined || nodes !== undefined || source !== undefined) return http;
  const { spec: _, ...rest } = http;
  return rest;
}

function describeWithoutValues({ message, nodes }: GraphQLError): string {
  if (message.startsWith('Syntax Error: ')) {
    return message.replace(FOUND_TOKEN, '$1 $2.').replace(FOUND_CHARACTERS, '.');
  }
  const invalid = INVALID_VALUE.exec(message)?.[0];
  if (invalid !== undefined) return `${invalid}.`;
  const isAboutValue = VALUE_KINDS.has(nodes?.[0]?.kind ?? '');
  if (!isAboutValue || MISSING_FIELD.test(message) || message.startsWith('Variable "$')) return message;
  const type = EXPECTED_TYPE.map((pattern) => pattern.exec(message)?.[1]).find((each) => each !== undefined);
  return type === undefined ? 'Is not a value of the expected type.' : `Is not a value of type ${type}.`;
}
