import { createRequire } from 'node:module';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { applyMiddleware } from 'graphql-middleware';
import { type Action, can } from '../policy/policy.ts';
import type { GraphQLContext } from './context.ts';

// Loaded as CommonJS: its ES modules import `util.isUndefined`, which Node 24 no longer has. The CommonJS modules only
// call it in rules that are not used here.
const { deny, rule, shield } = createRequire(import.meta.url)('graphql-shield') as typeof import('graphql-shield');

/**
 * The minimum permission for each root field. For queries and mutations, shield checks it before the resolver runs, and
 * denies a field that is not listed. For subscriptions, `useFreshContext` does the same.
 */
export const ROOT_PERMISSIONS = {
  Query: {
    viewer: 'viewer.read',
    mcpServerConfig: 'mcpServerConfig.read',
    mcpServerConfigs: 'mcpServerConfig.list',
    discoverMcpServerOAuth: 'mcpServerConfig.discoverOAuth',
    effectiveMcpTools: 'mcpServerTool.list',
    chat: 'chat.read',
    chats: 'chat.list',
    availableMcpServers: 'mcpServerConfig.list',
    explainMcpServer: 'mcpServer.explain',
    mcpServerConfigImpact: 'mcpServerConfig.readImpact',
    exportMcpServers: 'mcpServerConfig.export',
    auditLog: 'auditLog.read',
    mcpServerConfigHistory: 'auditLog.read',
    verifyAuditLog: 'auditLog.verify',
    user: 'user.read',
    users: 'user.list',
    apiTokens: 'apiToken.list',
    encryptionKeys: 'encryptionKey.list',
    gatewayStatus: 'gatewayStatus.read',
  },
  Mutation: {
    createMcpServerConfig: 'mcpServerConfig.create',
    updateMcpServerConfig: 'mcpServerConfig.update',
    restoreMcpServerConfigVersion: 'mcpServerConfig.update',
    deleteMcpServerConfig: 'mcpServerConfig.delete',
    discoverMcpServerOAuth: 'mcpServerConfig.discoverOAuth',
    testMcpServer: 'mcpServerConfig.test',
    disconnectMcpServer: 'mcpServerConnection.remove',
    removeMcpServerUserTokens: 'mcpServerConnection.removeAny',
    importMcpServers: 'mcpServerConfig.import',
    refreshMcpServerTools: 'mcpServerTool.refresh',
    approveMcpTools: 'mcpServerTool.approve',
    callMcpTool: 'mcpServerTool.call',
    createChat: 'chat.create',
    updateChat: 'chat.write',
    deleteChat: 'chat.delete',
    createChatMessage: 'chat.write',
    createUser: 'user.create',
    updateUser: 'user.update',
    deleteUser: 'user.delete',
    createApiToken: 'apiToken.create',
    revokeApiToken: 'apiToken.revoke',
    endSession: 'session.end',
    createSignInLink: 'signInLink.create',
    verifyAuditLog: 'auditLog.verify',
    addEncryptionKey: 'encryptionKey.manage',
    rotateEncryptionKeys: 'encryptionKey.manage',
    verifyEncryptedValues: 'encryptionKey.manage',
    revokeEncryptionKey: 'encryptionKey.manage',
  },
  Subscription: {
    mcpServerConfigEvents: 'feed.subscribe',
  },
} as const satisfies Record<string, Record<string, Action>>;

const FORBIDDEN = new GraphQLError('Your role does not allow this.', { extensions: { code: 'FORBIDDEN' } });
const UNAUTHENTICATED = new GraphQLError('Sign in, or send an API token as "Authorization: Bearer …".', {
  extensions: { code: 'UNAUTHENTICATED' },
});

function toRules(type: 'query' | 'mutation', actions: Readonly<Record<string, Action>>) {
  return Object.fromEntries(
    Object.entries(actions).map(([field, action]) => [field, allows(`${type} ${field}`, action)]),
  );
}

/** Shield identifies rules by name, and several fields may share an action. */
function allows(field: string, action: Action) {
  return rule(`${field}: ${action}`, { cache: 'no_cache' })((_root, _args, { viewer, onDenied }: GraphQLContext) => {
    if (viewer.kind !== 'nobody' && can(viewer, action)) return true;
    const refusal = viewer.kind === 'nobody' ? UNAUTHENTICATED : FORBIDDEN;
    // Reported here and not only from the answer: of several errors at non-null fields, GraphQL returns only one.
    onDenied(field, String(refusal.extensions['code']));
    return refusal;
  });
}

/**
 * Guards queries and mutations with graphql-shield, which denies by default. Other types are not guarded, because shield
 * would make each of their fields asynchronous; below the root, field scopes do the redaction. Subscriptions are not
 * guarded here, because shield does not wrap `subscribe`: see `useFreshContext`.
 */
export function guardRootFields(schema: GraphQLSchema): GraphQLSchema {
  const permissions = shield(
    {
      Query: { '*': deny, ...toRules('query', ROOT_PERMISSIONS.Query) },
      Mutation: { '*': deny, ...toRules('mutation', ROOT_PERMISSIONS.Mutation) },
    },
    { fallbackRule: deny, fallbackError: FORBIDDEN, allowExternalErrors: true },
  );
  const { Query, Mutation } = permissions.generate(schema) as Record<string, object>;
  return applyMiddleware(schema, { Query, Mutation } as Parameters<typeof applyMiddleware>[1]);
}
