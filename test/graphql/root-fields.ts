import { randomUUID } from 'node:crypto';
import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isIntrospectionType,
  isObjectType,
} from 'graphql';
import { buildSchema } from '../../src/graphql/schema.ts';
import { ROLES } from '../../src/policy/viewer.ts';
import type { TestGateway } from '../setup/gateway.ts';
import { CreateApiToken, CreateConfig, CreateUser } from '../setup/operations.ts';
import { registerRevokedKey } from './encryption-key-rows.ts';
import type { CreateMcpServerConfigInput } from './generated/graphql.ts';
import { insertTools, TOOL_DIGEST } from './tool-rows.ts';
import { insertReasons, insertUserToken } from './user-tokens.ts';

/** Rows that an operation is about, with a value in every column that a field shows. */
export interface Subjects {
  configId: string;
  slug: string;
  userId: string;
  /** What each caller has of their own. */
  own: Readonly<Partial<Record<string, { userId: string; apiTokenId: string; sessionId: string }>>>;
  /** A chat of each user who may have one. */
  chatIds: Readonly<Partial<Record<string, string>>>;
  /** The same, for chats that are deleted. */
  deletedChatIds: Readonly<Partial<Record<string, string>>>;
  /** Id of a server that can be called; by default the one above, which cannot. */
  callableId?: string;
  /** URL of an MCP server for discovery; by default one that the gateway may not reach. */
  serverUrl: string;
  /** Number of a revoked key. */
  keyNumber: number;
}

/**
 * The arguments of every root field of the schema, by name. A missing field fails the tests that run all operations:
 * when you add one, say how it is called.
 */
export const ROOT_ARGUMENTS: Readonly<Record<string, (subjects: Subjects, caller: string) => string>> = {
  'Query.viewer': () => '',
  'Query.mcpServerConfig': ({ slug }) => `(slug: "${slug}")`,
  'Query.mcpServerConfigs': () => '(first: 500)',
  'Query.discoverMcpServerOAuth': ({ serverUrl }) => `(url: "${serverUrl}")`,
  'Query.effectiveMcpTools': () => '',
  'Query.chat': ({ chatIds }, caller) => `(id: "${chatIds[caller] ?? chatIds['member'] ?? MISSING_ID}")`,
  'Query.user': ({ userId }) => `(id: "${userId}")`,
  'Query.availableMcpServers': () => '',
  'Query.chats': () => '(first: 200)',
  'Query.explainMcpServer': ({ configId }) => `(configId: "${configId}", tool: "write")`,
  'Query.mcpServerConfigImpact': ({ configId }) => `(id: "${configId}")`,
  'Query.auditLog': () => '(first: 200)',
  'Query.mcpServerConfigHistory': ({ configId }) => `(id: "${configId}")`,
  'Query.verifyAuditLog': () => '',
  'Query.exportMcpServers': () => '',
  'Query.users': () => '(first: 500)',
  'Query.apiTokens': () => '(first: 500)',
  'Query.encryptionKeys': () => '',
  'Query.gatewayStatus': () => '',
  'Mutation.createMcpServerConfig': () =>
    `(input: { displayName: "New", slug: "${uniqueSlug()}", url: "https://new.example.com/mcp", authType: OAUTH2,
      iconUrl: "https://new.example.com/icon.png", apiKeyHeader: "X-Key", oauth2ClientId: "client",
      oauth2AuthUrl: "https://login.example.com/a", oauth2TokenUrl: "https://login.example.com/t",
      oauth2RevocationUrl: "https://login.example.com/r", oauth2Issuer: "https://login.example.com",
      oauth2Scopes: ["read"] })`,
  'Mutation.updateMcpServerConfig': ({ configId }) => `(input: { id: "${configId}", description: "Changed." })`,
  'Mutation.restoreMcpServerConfigVersion': ({ configId }) => `(input: { id: "${configId}", version: 1 })`,
  'Mutation.deleteMcpServerConfig': ({ configId }) => `(input: { id: "${configId}" })`,
  'Mutation.discoverMcpServerOAuth': ({ serverUrl }) => `(input: { url: "${serverUrl}" })`,
  'Mutation.testMcpServer': ({ configId }) => `(input: { id: "${configId}" })`,
  'Mutation.disconnectMcpServer': ({ configId }) => `(input: { id: "${configId}" })`,
  'Mutation.removeMcpServerUserTokens': ({ configId }) => `(input: { id: "${configId}" })`,
  'Mutation.importMcpServers': () => `(input: { dryRun: false, content: ${JSON.stringify(JSON.stringify(IMPORTED))} })`,
  'Mutation.refreshMcpServerTools': ({ configId }) => `(input: { id: "${configId}" })`,
  'Mutation.approveMcpTools': ({ configId }) =>
    `(input: { id: "${configId}", tools: [{ name: "read", digest: "${TOOL_DIGEST}" }] })`,
  'Mutation.callMcpTool': ({ callableId, configId }) =>
    `(input: { configId: "${callableId ?? configId}", tool: "who" })`,
  'Mutation.createChat': () => '(input: { title: "New" })',
  'Mutation.createChatMessage': ({ chatIds }, caller) =>
    `(input: { chatId: "${chatIds[caller] ?? MISSING_ID}", content: "Hello" })`,
  'Mutation.updateChat': ({ chatIds }, caller) =>
    `(input: { id: "${chatIds[caller] ?? MISSING_ID}", title: "${randomUUID()}" })`,
  'Mutation.deleteChat': ({ deletedChatIds }, caller) => `(input: { id: "${deletedChatIds[caller] ?? MISSING_ID}" })`,
  'Mutation.createUser': () => `(input: { email: "${randomUUID()}@example.com" })`,
  'Mutation.updateUser': ({ userId }) => `(input: { id: "${userId}", role: AUDITOR })`,
  'Mutation.deleteUser': ({ userId }) => `(input: { id: "${userId}" })`,
  'Mutation.createApiToken': ({ own }, caller) =>
    `(input: { userId: "${own[caller]?.userId ?? MISSING_ID}", name: "Another" })`,
  'Mutation.revokeApiToken': ({ own }, caller) => `(input: { id: "${own[caller]?.apiTokenId ?? MISSING_ID}" })`,
  'Mutation.createSignInLink': ({ own }, caller) => `(input: { userId: "${own[caller]?.userId ?? MISSING_ID}" })`,
  'Mutation.endSession': ({ own }, caller) => `(input: { id: "${own[caller]?.sessionId ?? MISSING_ID}" })`,
  'Mutation.verifyAuditLog': () => '',
  'Mutation.addEncryptionKey': () => '',
  'Mutation.rotateEncryptionKeys': () => '(input: { first: 100 })',
  'Mutation.verifyEncryptedValues': () => '',
  'Mutation.revokeEncryptionKey': ({ keyNumber }) => `(input: { number: ${keyNumber} })`,
};

const MISSING_ID = '00000000-0000-4000-8000-00000000dead';

/** One server that is imported, one that lacks a secret, one that cannot be imported. */
const IMPORTED = {
  mcpServers: {
    imported: { url: 'https://imported.example.com/mcp' },
    incomplete: { url: 'https://incomplete.example.com/mcp', headers: { 'X-Key': '${KEY}' } },
    broken: { url: 'https://localhost.:0443/' },
    local: { command: 'npx' },
  },
};

/** At an address that the operator did not allow. */
export const UNREACHABLE_URL = 'https://127.0.0.1/mcp';

export const schema = buildSchema();

/** The object types of the schema. */
export const ownTypes: readonly GraphQLObjectType[] = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter((type) => !isIntrospectionType(type));

/** All fields of the schema but the root fields, like `User.email`. */
export const fieldsOfGraph: readonly string[] = ownTypes
  .filter(({ name }) => !['Query', 'Mutation', 'Subscription'].includes(name))
  .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`))
  .sort();

/** Every root field of queries and mutations as `Type.field`. Subscriptions are streams: see config-events. */
export function listRootFields(): string[] {
  const roots = [schema.getQueryType(), schema.getMutationType()];
  return roots.flatMap((root) => Object.keys(root?.getFields() ?? {}).map((field) => `${root?.name}.${field}`));
}

/** An operation that calls the root field and selects all that can be selected below it. */
export function toOperation(rootField: string, subjects: Subjects, caller = 'member'): string {
  const [type = '', field = ''] = rootField.split('.');
  const root = schema.getType(type) as GraphQLObjectType;
  const output = root.getFields()[field]?.type;
  const args = ROOT_ARGUMENTS[rootField];
  if (output === undefined || args === undefined) throw new Error(`no arguments are known for ${rootField}`);
  return `${type.toLowerCase()} { ${field}${args(subjects, caller)} ${selectAll(output)} }`;
}

/** Everything below a type, each type once on the way down. */
export function selectAll(output: GraphQLOutputType, above: readonly string[] = []): string {
  const type = getNamedType(output);
  if (!isObjectType(type)) return '';
  const fields = Object.values(type.getFields()).filter((field) => !above.includes(getNamedType(field.type).name));
  const select = ({ name, type: inner }: (typeof fields)[number]) => {
    // The same as in `edges`: an operation may not be very long.
    if (name === 'nodes' && 'edges' in type.getFields()) return `${name} { __typename }`;
    // Each user's page counts, so it is only asked of one user.
    if (name === 'connections' && above.length > 0) return '';
    return `${name} ${selectAll(inner, [...above, type.name])}`;
  };
  return `{ ${fields.map(select).join(' ')} }`;
}

export function uniqueSlug(): string {
  return `s-${randomUUID()}`;
}

/** A config, a user connected to it, and a token of that user; every value that may be missing is there. */
export async function createSubjects(gateway: TestGateway): Promise<Subjects> {
  const token = gateway.tokens.admin;
  const slug = uniqueSlug();
  const input: CreateMcpServerConfigInput = {
    displayName: 'Everything',
    slug,
    url: 'https://mcp.example.com/mcp',
    enabled: true,
    availability: 'FORCE_ON',
    iconUrl: 'https://mcp.example.com/icon.png',
    authType: 'OAUTH2',
    oauth2ClientId: 'client',
    oauth2ClientSecret: 'secret',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
    // Nobody answers there, at once.
    oauth2RevocationUrl: 'https://127.0.0.1:9/revoke',
    oauth2Issuer: 'https://login.example.com',
    oauth2Scopes: ['read'],
    apiKeyHeader: 'X-Key',
    apiKeyValue: 'key',
    customHeaders: [{ name: 'X-Custom', value: 'value' }],
    toolAllowList: ['read'],
    toolDenyList: ['write'],
  };
  const config = await gateway.execute(CreateConfig, { token, variables: { input } });
  const email = `${randomUUID()}@example.com`;
  const user = await gateway.execute(CreateUser, { token, variables: { input: { email } } });
  const configId = config.data.createMcpServerConfig.id;
  // Its second version, so that the first can be restored.
  const change =
    'mutation ($input: UpdateMcpServerConfigInput!) { updateMcpServerConfig(input: $input) { feedCursor } }';
  await gateway.graphql(change, { token, variables: { input: { id: configId, description: 'Second.' } } });
  const userId = user.data.createUser.id;
  const own: Record<string, { userId: string; apiTokenId: string; sessionId: string }> = {};
  for (const role of ROLES) own[role] = await createOwn(gateway, { userId: gateway.userIds[role], configId });
  await insertUserToken(gateway, { configId, userId });
  await insertReasons(gateway, configId);
  const chatIds: Record<string, string> = {};
  const deletedChatIds: Record<string, string> = {};
  for (const caller of ['admin', 'member'] as const) {
    const chat = `mutation { createChat(input: { title: "Subject" }) { chat { id } } }`;
    for (const ids of [chatIds, deletedChatIds]) {
      const { data } = await gateway.graphql(chat, { token: gateway.tokens[caller] });
      ids[caller] = data.createChat.chat.id;
    }
    const message = `mutation { createChatMessage(input: { chatId: "${chatIds[caller]}", content: "Hello" }) { chatMessage { id } } }`;
    await gateway.graphql(message, { token: gateway.tokens[caller] });
  }
  await insertTools(gateway, configId);
  const keyNumber = await registerRevokedKey(gateway);
  return {
    configId,
    slug,
    userId,
    own,
    keyNumber,
    serverUrl: UNREACHABLE_URL,
    chatIds,
    deletedChatIds,
  };
}

/** Tokens of a user with a value in every column, and a session that one of them opened. */
async function createOwn(gateway: TestGateway, { userId, configId }: { userId: string; configId: string }) {
  const token = gateway.tokens.admin;
  const expiresAt = new Date(gateway.clock.now.getTime() + 86_400_000).toISOString();
  const create = async (more: object) => {
    const variables = { input: { userId, name: 'Own', expiresAt, ...more } };
    return (await gateway.execute(CreateApiToken, { token, variables })).data.createApiToken;
  };
  const limited = await create({ mcpServerIds: [configId] });
  const revoke = 'mutation ($input: RevokeApiTokenInput!) { revokeApiToken(input: $input) { apiToken { revokedAt } } }';
  await gateway.graphql(revoke, { token, variables: { input: { id: limited.apiToken.id } } });
  const used = await create({});
  const headers = { authorization: `Bearer ${used.token}` };
  await gateway.fetch('/auth/session', { method: 'POST', headers });
  const sql = 'SELECT id::text FROM sessions WHERE api_token_id = $1::uuid';
  const [session] = await gateway.database.query(sql, [used.apiToken.id]);
  const other = await create({});
  return { userId, apiTokenId: other.apiToken.id, sessionId: String(session?.['id']) };
}
