import { GraphQLScalarType } from 'graphql';
import { DateTimeResolver } from 'graphql-scalars';

/** A time as RFC 3339 writes it. The scalar of graphql-scalars, with the document that specifies it. */
export const DateTimeScalar = new GraphQLScalarType({
  ...DateTimeResolver.toConfig(),
  description:
    'A date and time (RFC 3339), such as 2026-11-29T10:15:30.000Z. Accepted with any offset, returned in UTC.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
});
