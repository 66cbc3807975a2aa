import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import SimpleObjectsPlugin from '@pothos/plugin-simple-objects';
import { JSONResolver } from 'graphql-scalars';
import { type Action, can } from '../policy/policy.ts';
import type { GraphQLContext } from './context.ts';
import { DateTimeScalar } from './scalars/date-time.ts';
import { UUIDScalar } from './scalars/uuid.ts';

/** One shared error for all restricted fields: creating an error per field would cost more than resolving it. */
const DENIED = new Error('denied');

/** The schema builder. It only holds the configuration; each folder next to it adds its types. */
export const builder = new SchemaBuilder<{
  Context: GraphQLContext;
  AuthScopes: { can: Action };
  Scalars: {
    UUID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
  };
  Connection: { totalCount: () => Promise<number> };
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}>({
  plugins: [ScopeAuthPlugin, RelayPlugin, SimpleObjectsPlugin],
  defaultFieldNullability: false,
  scopeAuth: {
    authScopes: (context) => ({ can: (action) => can(context.viewer, action) }),
    unauthorizedError: () => DENIED,
  },
  relay: {
    cursorType: 'String',
    nodesOnConnection: { description: 'The entries of this page without their cursors.' },
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    pageInfoTypeOptions: { description: 'Position of a page in its list (Relay Cursor Connections).' },
    hasNextPageFieldOptions: { description: 'Whether more entries follow this page.' },
    hasPreviousPageFieldOptions: { description: 'Always false: lists can only be read forwards.' },
    startCursorFieldOptions: { description: 'Cursor of the first entry; null on an empty page.' },
    endCursorFieldOptions: {
      description: 'Cursor of the last entry, to pass as `after` for the next page; null on an empty page.',
    },
    edgesFieldOptions: { description: 'The entries of this page with their cursors.', nullable: false },
    nodesFieldOptions: { nullable: { list: false, items: false } },
    nodeFieldOptions: { description: 'The entry.', nullable: false },
    cursorFieldOptions: { description: 'Position of the entry in the list, to pass as `after`.' },
    pageInfoFieldOptions: { description: 'Position of this page in the list.' },
  },
});

builder.addScalarType('UUID', UUIDScalar, {});
builder.addScalarType('DateTime', DateTimeScalar, {});
builder.addScalarType('JSON', JSONResolver, {});
builder.queryType({ description: 'Reads.' });
builder.mutationType({ description: 'Writes.' });
builder.subscriptionType({ description: 'Live streams.' });
builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description: 'Number of entries on all pages together.',
    resolve: (connection) => connection.totalCount(),
  }),
);

/** As `visibleWith`, for a field about a user that its own user can see, too. */
export function visibleToOwnerWith(action: Action) {
  return {
    nullable: true,
    authScopes: ({ id }: { id: string }, _args: object, { viewer }: GraphQLContext) =>
      can(viewer, action, { ownerId: id }),
    unauthorizedResolver: () => null,
  } as const;
}

/**
 * Options for a field that only some roles can see. For the others it is null and never an error, so that one operation
 * works for every role. The field's description must say who sees it.
 */
export function visibleWith(action: Action) {
  return { nullable: true, authScopes: { can: action }, unauthorizedResolver: () => null } as const;
}
