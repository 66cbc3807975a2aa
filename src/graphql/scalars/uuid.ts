import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The scalar for ids. Input is converted to lower case, as in the database, so that comparing two spellings of one id
 * works. (The UUID scalar of graphql-scalars accepts any case and a stray brace.)
 */
export const UUIDScalar = new GraphQLScalarType<string, string>({
  name: 'UUID',
  description: 'A UUID (RFC 9562) in hexadecimal with hyphens. Accepted in any case, returned in lower case.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc9562',
  serialize: parseUuid,
  parseValue: parseUuid,
  parseLiteral: (node) => parseUuid(node.kind === Kind.STRING ? node.value : undefined),
});

/** Whether the text is a UUID, in either case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

function parseUuid(value: unknown): string {
  if (typeof value === 'string' && isUuid(value)) return value.toLowerCase();
  // The message does not repeat the value, which may be a secret.
  throw new GraphQLError('UUID cannot represent this value.');
}
