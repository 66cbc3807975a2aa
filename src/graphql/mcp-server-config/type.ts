import type { ConnectionRecord, McpServerConfigRecord } from '../../data/records.ts';
import { isConnected } from '../../domain/connections/connection-service.ts';
import { builder, visibleWith } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { UserType } from '../user/type.ts';
import {
  McpAuthTypeEnum,
  McpAvailabilityEnum,
  McpOAuth2ResourceModeEnum,
  McpServerStateEnum,
  McpTransportEnum,
} from './enums.ts';

const ADMIN_FIELDS = 'For admins, auditors and services; null for members and when it is not set.';
const adminField = visibleWith('mcpServerConfig.readAdminFields');

/** `McpServerConfig` */
export const McpServerConfigType = builder.objectRef<McpServerConfigRecord>('McpServerConfig');

McpServerConfigType.implement({
  description: 'A server of the Model Context Protocol, defined by an admin. Its secrets cannot be read.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Identity, for ever.' }),
    slug: t.exposeString('slug', { description: 'Short unique name; tools are shown to models as `<slug>__<tool>`.' }),
    displayName: t.exposeString('displayName', { description: 'Name for people.' }),
    description: t.exposeString('description', { description: 'What the server is good for; may be empty.' }),
    iconUrl: t.string({
      nullable: true,
      description: 'Picture to show beside the name.',
      resolve: (config) => config.iconUrl || null,
    }),
    authType: t.expose('authType', { type: McpAuthTypeEnum, description: 'What credentials the server gets.' }),
    availability: t.expose('availability', { type: McpAvailabilityEnum, description: 'In which chats it is.' }),
    enabled: t.exposeBoolean('enabled', { description: 'The kill switch: false hides it from members and chats.' }),
    toolAllowList: t.exposeStringList('toolAllowList', {
      description: 'Unless empty, only tools of these names may be used. Exact names at the server.',
    }),
    toolDenyList: t.exposeStringList('toolDenyList', {
      description: 'Tools of these names may not be used, even when the allow list has them.',
    }),
    hasOAuth2Secret: t.exposeBoolean('hasOAuth2Secret', { description: 'Whether an OAuth 2 client secret is stored.' }),
    hasApiKey: t.exposeBoolean('hasApiKey', { description: 'Whether an API key is stored.' }),
    hasCustomHeaders: t.exposeBoolean('hasCustomHeaders', { description: 'Whether custom headers are stored.' }),
    authConnected: t.boolean({
      description: 'Whether the viewer has connected his account; true where the auth type needs no connection.',
      resolve: (config, _args, context) =>
        withConnection(config, context, (connection) => isConnected(config, connection)),
    }),
    viewerState: t.field({
      type: McpServerStateEnum,
      description: 'How the server stands for the viewer.',
      resolve: (config, _args, context) =>
        withConnection(config, context, (connection) => context.services.connections.serverState(config, connection)),
    }),
    viewerStateReason: t.string({
      nullable: true,
      description: 'What the viewer should know beside the state, such as why his connection ended. Text, not HTML.',
      resolve: (config, _args, context) =>
        withConnection(config, context, (connection) => context.services.connections.stateReason(config, connection)),
    }),
    version: t.exposeInt('version', { description: 'Counts up with each change; give it as `expectedVersion`.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was defined.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),

    url: t.exposeString('url', {
      ...adminField,
      description: 'Where the server is. For admins, auditors and services; null for members.',
    }),
    transport: t.expose('transport', {
      type: McpTransportEnum,
      ...adminField,
      description: `How the gateway talks to it. ${ADMIN_FIELDS}`,
    }),
    oauth2ClientId: t.string({
      ...adminField,
      description: `OAuth 2 client id. ${ADMIN_FIELDS}`,
      resolve: (config) => config.oauth2ClientId || null,
    }),
    oauth2AuthUrl: t.string({
      ...adminField,
      description: `OAuth 2 authorization endpoint. ${ADMIN_FIELDS}`,
      resolve: (config) => config.oauth2AuthUrl || null,
    }),
    oauth2TokenUrl: t.string({
      ...adminField,
      description: `OAuth 2 token endpoint. ${ADMIN_FIELDS}`,
      resolve: (config) => config.oauth2TokenUrl || null,
    }),
    oauth2RevocationUrl: t.string({
      ...adminField,
      description: `OAuth 2 revocation endpoint (RFC 7009). ${ADMIN_FIELDS}`,
      resolve: (config) => config.oauth2RevocationUrl || null,
    }),
    oauth2Issuer: t.string({
      ...adminField,
      description: `Issuer identifier of the authorization server (RFC 8414). ${ADMIN_FIELDS}`,
      resolve: (config) => config.oauth2Issuer || null,
    }),
    oauth2Scopes: t.exposeStringList('oauth2Scopes', {
      ...adminField,
      description: `Scopes that are asked for. ${ADMIN_FIELDS}`,
    }),
    oauth2ResourceMode: t.expose('oauth2ResourceMode', {
      type: McpOAuth2ResourceModeEnum,
      ...adminField,
      description: `Whether the authorization server is told which server a token is for. ${ADMIN_FIELDS}`,
    }),
    apiKeyHeader: t.string({
      ...adminField,
      description: `Header that carries the API key. ${ADMIN_FIELDS}`,
      resolve: (config) => config.apiKeyHeader || null,
    }),
    createdBy: t.field({
      type: UserType,
      ...adminField,
      description: `Who defined it; null when that user is gone. ${ADMIN_FIELDS}`,
      resolve: (config, _args, { loaders }) =>
        config.createdById === null ? null : loaders.userById.load(config.createdById),
    }),
    updatedBy: t.field({
      type: UserType,
      ...adminField,
      description: `Who last changed it; null when that user is gone. ${ADMIN_FIELDS}`,
      resolve: (config, _args, { loaders }) =>
        config.updatedById === null ? null : loaders.userById.load(config.updatedById),
    }),
    connectedUserCount: t.int({
      ...adminField,
      description: `How many users have connected their account. ${ADMIN_FIELDS}`,
      resolve: (config, _args, { loaders }) => loaders.connectedUserCount.load(config.id),
    }),
  }),
});

/**
 * Reads something of the viewer's connection, which is looked up only where the auth type has connections at all:
 * promises for all the others would cost more than their values.
 */
function withConnection<Result>(
  config: McpServerConfigRecord,
  { loaders }: GraphQLContext,
  read: (connection: ConnectionRecord | undefined) => Result,
): Result | Promise<Result> {
  return config.authType === 'oauth2' ? loaders.ownConnection.load(config.id).then(read) : read(undefined);
}
