import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The scalar for ids. What comes in is made lower case, as the database has it: two spellings of one id must not look
 * like two ids to code that compares them. (graphql-scalars' own lets case and a stray brace through.)
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
  // The value itself is not repeated: it may be anything.
  throw new GraphQLError('UUID cannot represent this value.');
}
