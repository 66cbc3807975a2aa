import {
  type DocumentNode,
  type GraphQLSchema,
  getNamedType,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/**
 * Fields whose values depend only on the state that `AnswerStamp` identifies, and on the viewer's role. Answers that
 * consist of these fields are cached. An operation with any other field is executed each time.
 */
const SHARED_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  Query: new Set(['mcpServerConfig', 'mcpServerConfigs']),
  Subscription: new Set(['mcpServerConfigEvents']),
  McpServerConfigEvent: new Set(['cursor', 'type', 'configId', 'config', 'changedFields', 'occurredAt']),
  McpServerConfigConnection: new Set(['edges', 'nodes', 'pageInfo', 'totalCount']),
  McpServerConfigEdge: new Set(['node']),
  PageInfo: new Set(['hasNextPage', 'hasPreviousPage']),
  McpServerConfig: new Set([
    ...['id', 'slug', 'displayName', 'description', 'iconUrl', 'iconHref', 'authType', 'availability', 'enabled'],
    ...['toolAllowList', 'toolDenyList', 'hasOAuth2Secret', 'hasApiKey', 'hasCustomHeaders'],
    ...['version', 'createdAt', 'updatedAt', 'url', 'transport', 'oauth2ClientId', 'oauth2AuthUrl', 'oauth2TokenUrl'],
    ...['oauth2RevocationUrl', 'oauth2Issuer', 'oauth2Scopes', 'oauth2ResourceMode', 'oauth2CallbackMode'],
    ...['oauthCallbackUrl', 'apiKeyHeader', 'toolApproval', 'exposeResources', 'exposePrompts'],
  ]),
};

/** Fields that also depend on the viewer: their own connections and cursors. */
const OWN_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  McpServerConfig: new Set(['authConnected', 'viewerState', 'viewerStateReason']),
  McpServerConfigEdge: new Set(['cursor']),
  PageInfo: new Set(['startCursor', 'endCursor']),
};

/**
 * Fields that also depend on a chat. It is no part of the stamp, so that chats cost nothing that others have to wait for:
 * whether an answer's chat is as it was is asked each time.
 */
const CHAT_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  Query: new Set(['chat']),
  Chat: new Set([...['id', 'title', 'mcpServerIds', 'mcpServers', 'availableMcpServers', 'createdAt', 'updatedAt']]),
  ChatMcpServer: new Set(['config', 'source', 'state', 'reason']),
  AvailableMcpServer: new Set(['config', 'availability', 'source', 'state', 'reason', 'isLocked']),
};

/** An argument that also depends on the viewer: a field of an input type. */
const OWN_ARGUMENT = { type: 'McpServerConfigFilter', field: 'viewerState' } as const;

/** Who may share the answer to a document. `viewerInChat`: the viewer, while the chat in it is as it was. */
export type AnswerReach = 'role' | 'viewer' | 'viewerInChat' | 'nobody';

/**
 * Who may share the answer to a document while nothing changes; `nobody` if it must be executed each time. Variables can
 * restrict it further: see `asksOwn`.
 */
export function findAnswerReach(schema: GraphQLSchema, document: DocumentNode): AnswerReach {
  let reach: AnswerReach = 'role';
  const typeInfo = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      OperationDefinition(operation) {
        if (operation.operation === OperationTypeNode.MUTATION) reach = 'nobody';
      },
      ObjectField({ name: { value: field } }) {
        const type = getNamedType(typeInfo.getParentInputType())?.name;
        if (type === OWN_ARGUMENT.type && field === OWN_ARGUMENT.field && reach === 'role') reach = 'viewer';
      },
      Field({ name: { value: field } }) {
        const type = getNamedType(typeInfo.getParentType())?.name ?? '';
        if (field === '__typename' || SHARED_FIELDS[type]?.has(field) === true) return;
        if (CHAT_FIELDS[type]?.has(field) === true) reach = reach === 'nobody' ? 'nobody' : 'viewerInChat';
        else if (OWN_FIELDS[type]?.has(field) !== true) reach = 'nobody';
        else if (reach === 'role') reach = 'viewer';
      },
    }),
  );
  return reach;
}

/** Whether a variable is a filter by what depends on the viewer. */
export function asksOwn(given: Readonly<Record<string, unknown>>): boolean {
  return Object.values(given).some(
    (value) => typeof value === 'object' && value !== null && OWN_ARGUMENT.field in value,
  );
}
