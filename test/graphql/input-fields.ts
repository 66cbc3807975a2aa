import { getNamedType, isInputObjectType } from 'graphql';
import type { CreateMcpServerConfigInput } from './generated/graphql.ts';
import { schema } from './root-fields.ts';

/**
 * What a text in an input is, and so which rule it must follow:
 * - `name`: people tell things apart by it, so no hidden characters (`checkName`)
 * - `ascii`: its own stricter rule allows only visible ASCII
 * - `url`: something calls or opens it (`checkUrl`)
 * - `text`: may have lines and any visible or invisible character
 * - `secret`: sent as it is, never shown
 * - `search`: compared with stored values, and not stored
 */
export type InputKind = 'name' | 'ascii' | 'url' | 'text' | 'secret' | 'search';

const CONFIG: Readonly<Record<string, InputKind>> = {
  displayName: 'name',
  slug: 'ascii',
  description: 'text',
  url: 'url',
  iconUrl: 'url',
  oauth2ClientId: 'name',
  oauth2ClientSecret: 'secret',
  oauth2AuthUrl: 'url',
  oauth2TokenUrl: 'url',
  oauth2RevocationUrl: 'url',
  oauth2Issuer: 'url',
  oauth2Scopes: 'name',
  apiKeyHeader: 'ascii',
  apiKeyValue: 'secret',
  toolAllowList: 'name',
  toolDenyList: 'name',
} satisfies Partial<Record<keyof CreateMcpServerConfigInput, InputKind>>;

/** Every text that callers can send, as `Type.field` or `Type.field(argument)`. A new one fails until it is listed. */
export const INPUT_KINDS: Readonly<Record<string, InputKind>> = {
  ...prefix('CreateMcpServerConfigInput', CONFIG),
  ...prefix('UpdateMcpServerConfigInput', CONFIG),
  'HttpHeaderInput.name': 'ascii',
  'HttpHeaderInput.value': 'secret',
  'CreateApiTokenInput.name': 'name',
  'CreateChatInput.title': 'name',
  'CreateChatMessageInput.content': 'text',
  'UpdateChatInput.title': 'name',
  'CreateUserInput.email': 'name',
  'UserFilter.search': 'search',
  'ApiTokenFilter.search': 'search',
  'UpdateUserInput.email': 'name',
  // A file: its names and URLs become those of configs, and follow their rules.
  'ImportMcpServersInput.content': 'text',
  'ImportAnswerInput.slug': 'search',
  'ImportSecretInput.placeholder': 'search',
  'ImportSecretInput.slug': 'search',
  'ImportSecretInput.value': 'secret',
  'AuditLogFilter.targetId': 'search',
  'McpServerConfigFilter.search': 'search',
  'CallMcpToolInput.tool': 'search',
  'McpToolApprovalInput.digest': 'search',
  'McpToolApprovalInput.name': 'search',
  'McpToolFilter.search': 'search',
  'McpServerConfigBy.slug': 'search',
  'Query.mcpServerConfig(slug)': 'search',
  'Query.explainMcpServer(tool)': 'search',
  'DiscoverMcpServerOAuthInput.url': 'url',
  'Query.discoverMcpServerOAuth(url)': 'url',
  'McpServerTestSettingsInput.url': 'url',
  'McpServerTestSettingsInput.apiKeyHeader': 'ascii',
  'McpServerTestSettingsInput.apiKeyValue': 'secret',
  // Cursors.
  'Query.apiTokens(after)': 'search',
  'Query.auditLog(after)': 'search',
  'Query.chats(after)': 'search',
  'Query.mcpServerConfigHistory(after)': 'search',
  'Query.mcpServerConfigs(after)': 'search',
  'Query.users(after)': 'search',
  'Subscription.mcpServerConfigEvents(after)': 'search',
};

/** Every text in the inputs of the schema, and whether it is in a list. */
export function listInputTexts(): { field: string; isList: boolean }[] {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const inputs = Object.values(schema.getTypeMap())
    .filter(isInputObjectType)
    .flatMap((type) =>
      Object.values(type.getFields()).map((field) => ({ name: `${type.name}.${field.name}`, type: field.type })),
    );
  const args = roots.flatMap((root) =>
    Object.values(root?.getFields() ?? {}).flatMap((field) =>
      field.args.map((argument) => ({ name: `${root?.name}.${field.name}(${argument.name})`, type: argument.type })),
    ),
  );
  return [...inputs, ...args]
    .filter(({ type }) => getNamedType(type).name === 'String')
    .map(({ name, type }) => ({ field: name, isList: String(type).startsWith('[') }));
}

/** The fields of one kind. */
export function listInputsOfKind(kind: InputKind): { field: string; isList: boolean }[] {
  return listInputTexts().filter(({ field }) => INPUT_KINDS[field] === kind);
}

function prefix(type: string, kinds: Readonly<Record<string, InputKind>>): Record<string, InputKind> {
  return Object.fromEntries(Object.entries(kinds).map(([field, kind]) => [`${type}.${field}`, kind]));
}
