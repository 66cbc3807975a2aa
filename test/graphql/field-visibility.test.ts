import { isIntrospectionType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DiscoverableServer, startDiscoverableServer } from '../setup/discoverable-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { breakCustomHeaders } from './encryption-key-rows.ts';
import { createSubjects, listRootFields, type Subjects, schema, toOperation } from './root-fields.ts';

/** Who gets a value, if there is one: first letters of the callers. The others get null, or cannot reach the field. */
const ALL = 'AUSM';
const STAFF = 'AUS';
const OVERSIGHT = 'AU';
const ADMIN = 'A';
/** Callers with a chat, and services, which see all chats. */
const CHATTERS = 'ASM';
/** Callers who are connected to the server. */
const CONNECTED = 'AM';

const LETTERS = { admin: 'A', auditor: 'U', service: 'S', member: 'M', suspended: 'x', nobody: 'n' } as const;

/** Every field of every type. An unlisted field fails the suite: say who sees it. */
const VISIBLE_TO: Readonly<Record<string, string>> = {
  'McpServerConfig.id': ALL,
  'McpServerConfig.slug': ALL,
  'McpServerConfig.displayName': ALL,
  'McpServerConfig.description': ALL,
  'McpServerConfig.iconUrl': ALL,
  'McpServerConfig.authType': ALL,
  'McpServerConfig.availability': ALL,
  'McpServerConfig.enabled': ALL,
  'McpServerConfig.toolAllowList': ALL,
  'McpServerConfig.toolDenyList': ALL,
  'McpServerConfig.hasOAuth2Secret': ALL,
  'McpServerConfig.hasApiKey': ALL,
  'McpServerConfig.hasCustomHeaders': ALL,
  'McpServerConfig.authConnected': ALL,
  'McpServerConfig.viewerState': ALL,
  'McpServerConfig.viewerStateReason': ALL,
  'McpServerConfig.version': ALL,
  'McpServerConfig.createdAt': ALL,
  'McpServerConfig.updatedAt': ALL,
  'McpServerConfig.url': STAFF,
  'McpServerConfig.transport': STAFF,
  'McpServerConfig.oauth2ClientId': STAFF,
  'McpServerConfig.oauth2AuthUrl': STAFF,
  'McpServerConfig.oauth2TokenUrl': STAFF,
  'McpServerConfig.oauth2RevocationUrl': STAFF,
  'McpServerConfig.oauth2Issuer': STAFF,
  'McpServerConfig.oauth2Scopes': STAFF,
  'McpServerConfig.oauth2ResourceMode': STAFF,
  'McpServerConfig.oauth2CallbackMode': STAFF,
  'McpServerConfig.oauthCallbackUrl': STAFF,
  'McpServerConfig.toolApproval': STAFF,
  'McpServerConfig.apiKeyHeader': STAFF,
  'McpServerConfig.createdBy': STAFF,
  'McpServerConfig.updatedBy': STAFF,
  'McpServerConfig.connectedUserCount': STAFF,
  'McpServerConfig.tools': ALL,
  'McpServerConfig.reachability': ALL,
  'McpReachability.checkedAt': ALL,
  'McpReachability.instructions': STAFF,
  'McpReachability.latencyMs': STAFF,
  'McpReachability.problem': STAFF,
  'McpReachability.protocolVersion': STAFF,
  'McpReachability.serverName': STAFF,
  'McpReachability.serverVersion': STAFF,
  'McpReachability.state': ALL,
  'McpToolConnection.edges': ALL,
  'McpToolConnection.nodes': ALL,
  'McpToolConnection.pageInfo': ALL,
  'McpToolConnection.totalCount': ALL,
  'McpToolEdge.cursor': ALL,
  'McpToolEdge.node': ALL,
  'McpTool.annotations': ALL,
  'McpTool.change': STAFF,
  'McpTool.changedAt': ALL,
  'McpTool.decision': ALL,
  'McpTool.description': ALL,
  'McpTool.digest': ALL,
  'McpTool.firstSeenAt': ALL,
  // Members are not shown tools that are gone.
  'McpTool.goneAt': STAFF,
  'McpTool.id': ALL,
  'McpTool.inputSchema': ALL,
  'McpTool.name': ALL,
  'McpTool.outputSchema': ALL,
  'McpTool.shownAs': ALL,
  'McpTool.title': ALL,
  'McpTool.warnings': ALL,
  'McpToolAnnotations.destructiveHint': ALL,
  'McpToolAnnotations.idempotentHint': ALL,
  'McpToolAnnotations.openWorldHint': ALL,
  'McpToolAnnotations.readOnlyHint': ALL,
  'McpToolAnnotations.title': ALL,
  'McpToolChange.approved': STAFF,
  'McpToolChange.description': STAFF,
  'McpToolChange.fields': STAFF,
  'McpToolChange.hasMoreFields': STAFF,
  'McpToolChange.present': STAFF,
  'McpTextChange.kind': STAFF,
  'McpTextChange.text': STAFF,
  'McpToolFieldChange.after': STAFF,
  'McpToolFieldChange.before': STAFF,
  'McpToolFieldChange.path': STAFF,
  'EffectiveMcpTool.config': CONNECTED,
  'EffectiveMcpTool.source': CONNECTED,
  'EffectiveMcpTool.state': CONNECTED,
  'EffectiveMcpTool.tool': CONNECTED,
  'RefreshMcpServerToolsPayload.approvedCount': ADMIN,
  'RefreshMcpServerToolsPayload.config': ADMIN,
  'RefreshMcpServerToolsPayload.problem': ADMIN,
  'ApproveMcpToolsPayload.config': ADMIN,
  'McpServerConfigConnection.edges': ALL,
  'McpServerConfigConnection.nodes': ALL,
  'McpServerConfigConnection.pageInfo': ALL,
  'McpServerConfigConnection.totalCount': ALL,
  'McpServerConfigConnection.feedCursor': ALL,
  'McpServerConfigEdge.cursor': ALL,
  'McpServerConfigEdge.node': ALL,
  'PageInfo.hasNextPage': ALL,
  'PageInfo.hasPreviousPage': ALL,
  'PageInfo.startCursor': ALL,
  'PageInfo.endCursor': ALL,
  'User.id': ALL,
  'User.email': ALL,
  'User.role': ALL,
  'User.status': ALL,
  'User.createdAt': ALL,
  'User.apiTokens': OVERSIGHT,
  'UserConnection.edges': OVERSIGHT,
  'UserConnection.nodes': OVERSIGHT,
  'UserConnection.pageInfo': OVERSIGHT,
  'UserConnection.totalCount': OVERSIGHT,
  'UserEdge.cursor': OVERSIGHT,
  'UserEdge.node': OVERSIGHT,
  'ApiToken.id': OVERSIGHT,
  'ApiToken.name': OVERSIGHT,
  'ApiToken.expiresAt': OVERSIGHT,
  'ApiToken.revokedAt': OVERSIGHT,
  'ApiToken.lastUsedAt': OVERSIGHT,
  'ApiToken.createdAt': OVERSIGHT,
  'CreateApiTokenPayload.token': ADMIN,
  'CreateApiTokenPayload.apiToken': ADMIN,
  'RevokeApiTokenPayload.apiToken': ADMIN,
  'DeleteMcpServerConfigPayload.deletedId': ADMIN,
  'DisconnectMcpServerPayload.tokenRevoked': 'AM',
  'DisconnectMcpServerPayload.revocationError': 'AM',
  'RemoveMcpServerUserTokensPayload.removedCount': ADMIN,
  'DiscoverMcpServerOAuthPayload.discovery': ADMIN,
  'McpServerTest.isOk': ADMIN,
  'McpServerTest.steps': ADMIN,
  'McpServerTestStep.advice': ADMIN,
  'McpServerTestStep.found': ADMIN,
  'McpServerTestStep.ms': ADMIN,
  'McpServerTestStep.name': ADMIN,
  'McpServerTestStep.outcome': ADMIN,
  'McpServerTestStep.problem': ADMIN,
  'OAuthDiscovery.oauthCallbackUrl': ADMIN,
  'OAuthDiscovery.steps': ADMIN,
  'OAuthDiscovery.problems': ADMIN,
  'OAuthDiscovery.issuer': ADMIN,
  'OAuthDiscovery.resource': ADMIN,
  'OAuthDiscovery.authorizationUrl': ADMIN,
  'OAuthDiscovery.tokenUrl': ADMIN,
  'OAuthDiscovery.revocationUrl': ADMIN,
  'OAuthDiscovery.scopes': ADMIN,
  'OAuthDiscovery.clientMode': ADMIN,
  'OAuthDiscoveryStep.name': ADMIN,
  'OAuthDiscoveryStep.url': ADMIN,
  'OAuthDiscoveryStep.outcome': ADMIN,
  'OAuthDiscoveryStep.message': ADMIN,
  'DeleteUserPayload.deletedId': ADMIN,
  'Chat.id': CHATTERS,
  'Chat.title': CHATTERS,
  'Chat.owner': CHATTERS,
  'Chat.mcpServerIds': CHATTERS,
  'Chat.mcpServers': CHATTERS,
  'Chat.messages': CHATTERS,
  'Chat.createdAt': CHATTERS,
  'Chat.updatedAt': CHATTERS,
  'ChatMcpServer.config': CHATTERS,
  'ChatMcpServer.source': CHATTERS,
  'ChatMcpServer.state': CHATTERS,
  'ChatMcpServer.reason': CHATTERS,
  'ChatMessage.id': CHATTERS,
  'ChatMessage.content': CHATTERS,
  'ChatMessage.createdAt': CHATTERS,
  'ChatMessageConnection.edges': CHATTERS,
  'ChatMessageConnection.nodes': CHATTERS,
  'ChatMessageConnection.pageInfo': CHATTERS,
  'ChatMessageConnection.totalCount': CHATTERS,
  'ChatMessageEdge.cursor': CHATTERS,
  'ChatMessageEdge.node': CHATTERS,
  'ChatConnection.edges': ALL,
  'ChatConnection.nodes': ALL,
  'ChatConnection.pageInfo': ALL,
  'ChatConnection.totalCount': ALL,
  'ChatEdge.cursor': 'AM',
  'ChatEdge.node': 'AM',
  'McpServerExplanation.configId': ALL,
  'McpServerExplanation.userId': ALL,
  'McpServerExplanation.available': ALL,
  'McpServerExplanation.summary': ALL,
  'McpServerExplanation.checks': ALL,
  'McpServerCheck.name': ALL,
  'McpServerCheck.outcome': ALL,
  'McpServerCheck.reason': ALL,
  'McpServerCheck.remedy': ALL,
  'McpServerConfigImpact.configId': OVERSIGHT,
  'McpServerConfigImpact.chatCount': OVERSIGHT,
  'McpServerConfigImpact.chatOwnerCount': OVERSIGHT,
  'McpServerConfigImpact.effectiveChatCount': OVERSIGHT,
  'McpServerConfigImpact.connectedUserCount': OVERSIGHT,
  'McpServerConfigImpact.ifDisabled': OVERSIGHT,
  'McpServerConfigImpact.ifDeleted': OVERSIGHT,
  'AuditLogConnection.edges': OVERSIGHT,
  'AuditLogConnection.nodes': OVERSIGHT,
  'AuditLogConnection.pageInfo': OVERSIGHT,
  'AuditLogConnection.totalCount': OVERSIGHT,
  'AuditLogEdge.cursor': OVERSIGHT,
  'AuditLogEdge.node': OVERSIGHT,
  'AuditLogEntry.id': OVERSIGHT,
  'AuditLogEntry.occurredAt': OVERSIGHT,
  'AuditLogEntry.actorKind': OVERSIGHT,
  'AuditLogEntry.actor': OVERSIGHT,
  'AuditLogEntry.actorId': OVERSIGHT,
  'AuditLogEntry.actorEmail': OVERSIGHT,
  'AuditLogEntry.action': OVERSIGHT,
  'AuditLogEntry.outcome': OVERSIGHT,
  'AuditLogEntry.targetType': OVERSIGHT,
  'AuditLogEntry.targetId': OVERSIGHT,
  'AuditLogEntry.targetLabel': OVERSIGHT,
  'AuditLogEntry.changes': OVERSIGHT,
  'AuditLogEntry.reason': OVERSIGHT,
  'AuditLogEntry.requestId': OVERSIGHT,
  // No connection in memory has an address: tested in client-address.
  'AuditLogEntry.address': '',
  'AuditChange.field': OVERSIGHT,
  'AuditChange.isSecret': OVERSIGHT,
  'AuditChange.before': OVERSIGHT,
  'AuditChange.after': OVERSIGHT,
  'VerifyAuditLogPayload.verification': OVERSIGHT,
  'AuditVerification.checked': OVERSIGHT,
  'AuditVerification.head': OVERSIGHT,
  'AuditVerification.headHash': OVERSIGHT,
  // The chain is intact here: tested in audit-chain.
  'AuditVerification.brokenAt': '',
  'AuditVerification.problem': '',
  'ImportMcpServersPayload.diff': ADMIN,
  'ImportMcpServersPayload.notes': ADMIN,
  'ImportMcpServersPayload.servers': ADMIN,
  'ImportedMcpServer.name': ADMIN,
  'ImportedMcpServer.slug': ADMIN,
  'ImportedMcpServer.kind': ADMIN,
  'ImportedMcpServer.applied': ADMIN,
  'ImportedMcpServer.missingSecrets': ADMIN,
  'ImportedMcpServer.notes': ADMIN,
  'ImportedMcpServer.error': ADMIN,
  'ImportedMcpServer.config': ADMIN,
  'MissingSecret.placeholder': ADMIN,
  'MissingSecret.field': ADMIN,
  'MissingSecret.header': ADMIN,
  'MissingSecret.description': ADMIN,
  // A stream: tested in config-events.
  'McpServerConfigEvent.cursor': '',
  'McpServerConfigEvent.type': '',
  'McpServerConfigEvent.configId': '',
  'McpServerConfigEvent.config': '',
  'McpServerConfigEvent.changedFields': '',
  'McpServerConfigEvent.occurredAt': '',
  'EncryptionKey.number': OVERSIGHT,
  'EncryptionKey.digest': OVERSIGHT,
  'EncryptionKey.status': OVERSIGHT,
  'EncryptionKey.configured': OVERSIGHT,
  'EncryptionKey.sealedValueCount': OVERSIGHT,
  'EncryptionKey.uses': OVERSIGHT,
  'EncryptionKey.createdAt': OVERSIGHT,
  'EncryptionKey.revokedAt': OVERSIGHT,
  'EncryptionKeyUse.table': OVERSIGHT,
  'EncryptionKeyUse.column': OVERSIGHT,
  'EncryptionKeyUse.count': OVERSIGHT,
  'EncryptionKeyRotation.total': ADMIN,
  'EncryptionKeyRotation.resealed': ADMIN,
  'EncryptionKeyRotation.remaining': ADMIN,
  'EncryptionKeyRotation.failureCount': ADMIN,
  'EncryptionKeyRotation.failures': ADMIN,
  'EncryptedValueVerification.checked': ADMIN,
  'EncryptedValueVerification.failureCount': ADMIN,
  'EncryptedValueVerification.failures': ADMIN,
  'UnopenedValue.table': ADMIN,
  'UnopenedValue.column': ADMIN,
  'UnopenedValue.id': ADMIN,
  'UnopenedValue.reason': ADMIN,
};

type Caller = keyof typeof LETTERS;

/** Which fields returned a value, and which were present at all, per caller. */
const seen = {} as Record<Caller, { filled: Set<string>; asked: Set<string> }>;
/** Errors next to data: a hidden field that caused one. */
const mixed: string[] = [];
const errorCodes = {} as Record<Caller, Set<unknown>>;
let gateway: TestGateway;
let discoverable: DiscoverableServer;

/** Records each field of an answer by its type. */
function note(caller: Caller, typeName: string, value: unknown): void {
  if (Array.isArray(value)) for (const item of value) note(caller, typeName, item);
  const type = schema.getType(typeName);
  if (!isObjectType(type) || typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [name, child] of Object.entries(value)) {
    const field = `${typeName}.${name}`;
    seen[caller].asked.add(field);
    if (child !== null) seen[caller].filled.add(field);
    note(caller, String(type.getFields()[name]?.type).replace(/[[\]!]/g, ''), child);
  }
}

async function askEverything(caller: Caller, subjects: Subjects): Promise<void> {
  seen[caller] = { filled: new Set(), asked: new Set() };
  errorCodes[caller] = new Set();
  const token = caller === 'nobody' ? undefined : gateway.tokens[caller];
  // Deletions last: what they delete is queried before.
  const fields = listRootFields().sort((a, b) => Number(a.includes('.delete')) - Number(b.includes('.delete')));
  for (const rootField of fields) {
    const { data, errors } = await gateway.graphql(toOperation(rootField, subjects, caller), { token });
    note(caller, rootField.split('.')[0] ?? '', data);
    if (data != null) mixed.push(...(errors ?? []).map((error) => `${caller} ${rootField} ${error.path}`));
    for (const error of errors ?? []) errorCodes[caller].add(error.extensions?.['code']);
  }
}

beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' } });
  discoverable = await startDiscoverableServer();
  const subjects = { ...(await createSubjects(gateway)), serverUrl: discoverable.url };
  // A value that cannot be decrypted, for the reports to name; in a config that nobody changes.
  await breakCustomHeaders(gateway, (await createSubjects(gateway)).configId);
  // The admin last: their mutations have effects.
  const callers = (Object.keys(LETTERS) as Caller[]).reverse();
  for (const caller of callers) await askEverything(caller, subjects);
});
afterAll(async () => {
  await gateway?.close();
  await discoverable?.close();
});

const ownTypes = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !isIntrospectionType(type));
const fieldsOfGraph = ownTypes.flatMap((type) =>
  isObjectType(type) && !['Query', 'Mutation', 'Subscription'].includes(type.name)
    ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)
    : [],
);

test('the table has exactly the fields of the schema', () => {
  expect(Object.keys(VISIBLE_TO).sort()).toEqual(fieldsOfGraph.sort());
});

describe.each(fieldsOfGraph)('%s', (field) => {
  const expected = VISIBLE_TO[field] ?? '';

  test.each(Object.entries(LETTERS))('as %s', (caller, letter) => {
    const { filled, asked } = seen[caller as Caller];
    expect(filled.has(field)).toBe(expected.includes(letter));
    if (expected.includes(letter)) expect(asked.has(field)).toBe(true);
  });
});

test('hidden fields are null, without an error next to them', () => {
  expect(mixed).toEqual([]);
  expect(errorCodes.admin).toEqual(new Set());
  for (const caller of ['auditor', 'service', 'member'] as const) {
    expect([...errorCodes[caller]]).toEqual(['FORBIDDEN']);
  }
  expect(seen.member.asked.has('McpServerConfig.url')).toBe(true);
  expect([...errorCodes.nobody]).toEqual(['UNAUTHENTICATED']);
  expect([...errorCodes.suspended]).toEqual(['UNAUTHENTICATED']);
});

test("every restricted field's description says who sees it", () => {
  for (const type of ownTypes.filter(isObjectType)) {
    for (const field of Object.values(type.getFields())) {
      const isRestricted = [STAFF, OVERSIGHT].includes(VISIBLE_TO[`${type.name}.${field.name}`] ?? '');
      const isInAll = VISIBLE_TO[`${type.name}.id`] === ALL;
      if (isRestricted && isInAll) expect(field.description, `${type.name}.${field.name}`).toMatch(/For admins.*null/);
    }
  }
});

const hidden = Object.keys(VISIBLE_TO).filter(
  (field) => field.startsWith('McpServerConfig.') && VISIBLE_TO[field] === STAFF,
);

test.each([
  ['in a list of nodes', 'mcpServerConfigs { nodes { ... } }'],
  ['in a list of edges', 'mcpServerConfigs { edges { node { ... } } }'],
  ['alone', 'mcpServerConfig(slug: "SLUG") { ... }'],
])('a member gets null %s, also by aliases and fragments', async (_place, outline) => {
  const { slug } = await createSubjects(gateway);
  // At most as many aliases as a document may have: the fields are split into groups.
  for (let start = 0; start < hidden.length; start += 4) {
    const names = hidden.slice(start, start + 4).map((field) => field.replace('McpServerConfig.', ''));
    const select = (name: string) => (/By$/.test(name) ? `${name} { id email apiTokens { name } }` : name);
    const inner = [
      ...names.map((name) => `a${select(name)}`.replace(/^a(\w+)/, 'a_$1: $1')),
      `... on McpServerConfig { ${names.map((name) => `b_${name}: ${select(name)}`).join(' ')} }`,
      '...Spread',
    ].join(' ');
    const query = `{ ${outline.replace('SLUG', slug).replace('...', `${inner} __typename`)} }
      fragment Spread on McpServerConfig { ...Deeper }
      fragment Deeper on McpServerConfig { ${names.map(select).join(' ')} }`;
    const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.member });
    expect(errors).toBeUndefined();
    const nodes = [data.mcpServerConfig ?? data.mcpServerConfigs.nodes ?? data.mcpServerConfigs.edges].flat();
    expect(nodes.length).toBeGreaterThan(0);
    for (const node of nodes) {
      const { __typename, ...fields } = node.node ?? node;
      expect(__typename).toBe('McpServerConfig');
      const names3 = names.flatMap((name) => [`a_${name}`, `b_${name}`, name]);
      expect(fields).toEqual(Object.fromEntries(names3.map((name) => [name, null])));
    }
  }
});
