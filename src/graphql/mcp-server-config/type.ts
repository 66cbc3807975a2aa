import type { McpServerConfigRecord } from '../../data/records.ts';
import { toIconHref } from '../../domain/icons/icon-service.ts';
import { builder, visibleWith } from '../builder.ts';
import { UserType } from '../user/type.ts';
import {
  McpAuthTypeEnum,
  McpAvailabilityEnum,
  McpOAuth2CallbackModeEnum,
  McpOAuth2ResourceModeEnum,
  McpServerStateEnum,
  McpToolApprovalEnum,
  McpTransportEnum,
} from './enums.ts';

const ADMIN_FIELDS = 'For admins, auditors and services; null for members, and if not set.';
const adminField = visibleWith('mcpServerConfig.readAdminFields');

/** `McpServerConfig` */
export const McpServerConfigType = builder.objectRef<McpServerConfigRecord>('McpServerConfig');

McpServerConfigType.implement({
  description: 'A Model Context Protocol (MCP) server, defined by an admin. Its secrets are never returned.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Permanent id of the config.' }),
    slug: t.exposeString('slug', {
      description: "Short unique name. Models see the server's tools as `<slug>__<tool>`.",
    }),
    displayName: t.exposeString('displayName', { description: 'Display name.' }),
    description: t.exposeString('description', { description: 'What the server is good for; may be empty.' }),
    iconUrl: t.string({
      nullable: true,
      description: 'URL of an icon to show next to the name; null if not set.',
      resolve: (config) => config.iconUrl || null,
    }),
    iconHref: t.string({
      nullable: true,
      description:
        'Where the gateway serves the icon, as a path with a version, for pages of the same origin; null if `iconUrl` is not set. 404 if there is no image at `iconUrl`.',
      resolve: toIconHref,
    }),
    authType: t.expose('authType', {
      type: McpAuthTypeEnum,
      description: 'Which credentials the gateway sends to the server.',
    }),
    availability: t.expose('availability', {
      type: McpAvailabilityEnum,
      description: 'Which chats the server applies in.',
    }),
    enabled: t.exposeBoolean('enabled', {
      description: 'The kill switch: false hides the server from members and removes it from all chats.',
    }),
    toolAllowList: t.exposeStringList('toolAllowList', {
      description: 'If not empty, only the tools in this list may be used. Exact names, as the server has them.',
    }),
    toolDenyList: t.exposeStringList('toolDenyList', {
      description: 'Tools in this list may not be used, even if they are in the allow list.',
    }),
    hasOAuth2Secret: t.exposeBoolean('hasOAuth2Secret', { description: 'Whether an OAuth 2 client secret is stored.' }),
    hasApiKey: t.exposeBoolean('hasApiKey', { description: 'Whether an API key is stored.' }),
    hasCustomHeaders: t.exposeBoolean('hasCustomHeaders', { description: 'Whether custom headers are stored.' }),
    authConnected: t.boolean({
      description: 'Whether the viewer has connected their account; true if the auth type needs no connection.',
      resolve: (config, _args, { loaders, services }) =>
        loaders.ownConnections.read(config, (connection) => services.connections.isConnected(config, connection)),
    }),
    viewerState: t.field({
      type: McpServerStateEnum,
      description: 'Whether the viewer can use the server, and if not, why.',
      resolve: (config, _args, { loaders, services }) =>
        loaders.ownConnections.read(config, (connection) => services.connections.serverState(config, connection)),
    }),
    viewerStateReason: t.string({
      nullable: true,
      description:
        "Details about the state, such as why the viewer's connection ended; null if there are none. Plain text, not HTML.",
      resolve: (config, _args, { loaders, services }) =>
        loaders.ownConnections.read(config, (connection) => services.connections.stateReason(config, connection)),
    }),
    version: t.exposeInt('version', {
      description: 'Increases with each change. Pass it as `expectedVersion` to detect concurrent changes.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the config was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the config last changed.' }),

    url: t.exposeString('url', {
      ...adminField,
      description: 'URL of the server. For admins, auditors and services; null for members.',
    }),
    transport: t.expose('transport', {
      type: McpTransportEnum,
      ...adminField,
      description: `How the gateway communicates with the server. ${ADMIN_FIELDS}`,
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
      description: `OAuth 2 scopes that the gateway requests. ${ADMIN_FIELDS}`,
    }),
    oauth2ResourceMode: t.expose('oauth2ResourceMode', {
      type: McpOAuth2ResourceModeEnum,
      ...adminField,
      description: `Whether the gateway sends the "resource" parameter, which names the MCP server a token is for (RFC 8707). ${ADMIN_FIELDS}`,
    }),
    oauth2CallbackMode: t.expose('oauth2CallbackMode', {
      type: McpOAuth2CallbackModeEnum,
      ...adminField,
      description: `Which callback URL the gateway sends to the authorization server. ${ADMIN_FIELDS}`,
    }),
    oauthCallbackUrl: t.string({
      ...adminField,
      description: `The callback URL (redirect URI) that must be registered at the authorization server. ${ADMIN_FIELDS}`,
      resolve: (config, _args, { services }) =>
        config.authType === 'oauth2' ? services.oauthUrls.redirectUri(config) : null,
    }),
    apiKeyHeader: t.string({
      ...adminField,
      description: `Name of the header that carries the API key. ${ADMIN_FIELDS}`,
      resolve: (config) => config.apiKeyHeader || null,
    }),
    toolApproval: t.expose('toolApproval', {
      type: McpToolApprovalEnum,
      ...adminField,
      description: `Whether tools may be used as the server lists them, or only as an admin approved them. ${ADMIN_FIELDS}`,
    }),
    exposeResources: t.exposeBoolean('exposeResources', {
      ...adminField,
      description: `Whether clients get the server's resources through the gateway, too. ${ADMIN_FIELDS}`,
    }),
    exposePrompts: t.exposeBoolean('exposePrompts', {
      ...adminField,
      description: `Whether clients get the server's prompts through the gateway, too. ${ADMIN_FIELDS}`,
    }),
    createdBy: t.field({
      type: UserType,
      ...adminField,
      description: `The user who created the config; null if that user was deleted. ${ADMIN_FIELDS}`,
      resolve: (config, _args, { loaders }) =>
        config.createdById === null ? null : loaders.userById.load(config.createdById),
    }),
    updatedBy: t.field({
      type: UserType,
      ...adminField,
      description: `The user who last changed the config; null if that user was deleted. ${ADMIN_FIELDS}`,
      resolve: (config, _args, { loaders }) =>
        config.updatedById === null ? null : loaders.userById.load(config.updatedById),
    }),
    connectedUserCount: t.int({
      ...adminField,
      description: `Number of users who have connected their account. ${ADMIN_FIELDS}`,
      resolve: (config, _args, { loaders }) => loaders.connectedUserCount.load(config.id),
    }),
  }),
});
