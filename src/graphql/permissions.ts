import { createRequire } from 'node:module';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { applyMiddleware } from 'graphql-middleware';
import { type Action, can } from '../policy/policy.ts';
import type { GraphQLContext } from './context.ts';

// Its ES modules import a function that Node 24 does not have any more (util.isUndefined); its CommonJS ones only call
// it in rules that are not used here.
const { deny, rule, shield } = createRequire(import.meta.url)('graphql-shield') as typeof import('graphql-shield');

/** What each root field needs, at the least, before its resolver runs. A field that is not here is denied. */
export const ROOT_PERMISSIONS = {
  Query: {
    viewer: 'viewer.read',
    mcpServerConfig: 'mcpServerConfig.read',
    mcpServerConfigs: 'mcpServerConfig.list',
    users: 'user.list',
    encryptionKeys: 'encryptionKey.list',
  },
  Mutation: {
    createMcpServerConfig: 'mcpServerConfig.create',
    updateMcpServerConfig: 'mcpServerConfig.update',
    deleteMcpServerConfig: 'mcpServerConfig.delete',
    removeMcpServerUserTokens: 'mcpServerConnection.removeAny',
    createUser: 'user.create',
    updateUser: 'user.update',
    deleteUser: 'user.delete',
    createApiToken: 'apiToken.create',
    revokeApiToken: 'apiToken.revoke',
    addEncryptionKey: 'encryptionKey.manage',
    rotateEncryptionKeys: 'encryptionKey.manage',
    verifyEncryptedValues: 'encryptionKey.manage',
    revokeEncryptionKey: 'encryptionKey.manage',
  },
} as const satisfies Record<string, Record<string, Action>>;

const FORBIDDEN = new GraphQLError('Your role does not allow this.', { extensions: { code: 'FORBIDDEN' } });
const UNAUTHENTICATED = new GraphQLError('Sign in, or send an API token as "Authorization: Bearer …".', {
  extensions: { code: 'UNAUTHENTICATED' },
});

function toRules(actions: Readonly<Record<string, Action>>) {
  return Object.fromEntries(Object.entries(actions).map(([field, action]) => [field, allows(field, action)]));
}

/** Shield tells rules apart by their names, and fields may share an action. */
function allows(field: string, action: Action) {
  return rule(`${field}: ${action}`, { cache: 'no_cache' })((_root, _args, { viewer }: GraphQLContext) => {
    if (viewer.kind === 'nobody') return UNAUTHENTICATED;
    return can(viewer, action) ? true : FORBIDDEN;
  });
}

/**
 * The schema with graphql-shield before the root fields, denying by default. Only the root types: on all of them it
 * would make every leaf field asynchronous, and redaction below the root is the work of the field scopes.
 */
export function guardRootFields(schema: GraphQLSchema): GraphQLSchema {
  const permissions = shield(
    {
      Query: { '*': deny, ...toRules(ROOT_PERMISSIONS.Query) },
      Mutation: { '*': deny, ...toRules(ROOT_PERMISSIONS.Mutation) },
    },
    { fallbackRule: deny, fallbackError: FORBIDDEN, allowExternalErrors: true },
  );
  const { Query, Mutation } = permissions.generate(schema) as Record<string, object>;
  return applyMiddleware(schema, { Query, Mutation } as Parameters<typeof applyMiddleware>[1]);
}
