import { Secret } from '../../crypto/secret.ts';
import type { ConfigInput } from '../../domain/configs/config-input.ts';
import { builder } from '../builder.ts';
import {
  McpAuthTypeEnum,
  McpAvailabilityEnum,
  McpOAuth2CallbackModeEnum,
  McpOAuth2ResourceModeEnum,
  McpToolApprovalEnum,
  McpTransportEnum,
} from './enums.ts';

/** `HttpHeaderInput` */
export const HttpHeaderInput = builder.inputType('HttpHeaderInput', {
  description: 'An HTTP header.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: 'Header name: an RFC 9110 token. Headers that HTTP or MCP sets itself are not allowed.',
    }),
    value: t.string({
      required: true,
      description: 'Header value. Stored encrypted and never returned. No line breaks.',
    }),
  }),
});

const NAME = 'Display name, 1 to 120 characters.';
const SLUG = 'Unique short name: 1 to 64 characters of a-z and 0-9, with single "-" between them.';
const URL = 'URL of the server: https, or http for loopback and allowed private hosts.';

/** The fields shared by create and update, all optional. */
function optionalFields(t: PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>) {
  return {
    transport: t.field({
      type: McpTransportEnum,
      required: false,
      description: 'How the gateway communicates with the server. Default: STREAMABLE_HTTP.',
    }),
    authType: t.field({
      type: McpAuthTypeEnum,
      required: false,
      description:
        "Which credentials the gateway sends. Default: NONE. Changing it clears the old type's settings and ends all connections.",
    }),
    availability: t.field({
      type: McpAvailabilityEnum,
      required: false,
      description: 'Which chats the server applies in. Default: DEFAULT_OFF.',
    }),
    enabled: t.boolean({ required: false, description: 'Whether the server is switched on. Default: false.' }),
    description: t.string({ required: false, description: 'What the server is good for, at most 4,000 characters.' }),
    iconUrl: t.string({ required: false, description: 'URL of an icon to show next to the name.' }),
    oauth2ClientId: t.string({
      required: false,
      description:
        'OAuth 2 client id. Set it together with the authorization and token URLs, or leave all three empty to have them discovered.',
    }),
    oauth2ClientSecret: t.string({
      required: false,
      description: 'OAuth 2 client secret. Stored encrypted and never returned.',
    }),
    oauth2AuthUrl: t.string({ required: false, description: 'OAuth 2 authorization endpoint.' }),
    oauth2TokenUrl: t.string({ required: false, description: 'OAuth 2 token endpoint.' }),
    oauth2RevocationUrl: t.string({ required: false, description: 'OAuth 2 revocation endpoint (RFC 7009).' }),
    oauth2Issuer: t.string({
      required: false,
      description: 'Issuer identifier of the authorization server (RFC 8414).',
    }),
    oauth2Scopes: t.stringList({ required: false, description: 'OAuth 2 scopes to request.' }),
    oauth2ResourceMode: t.field({
      type: McpOAuth2ResourceModeEnum,
      required: false,
      description:
        'Whether to send the `resource` parameter. Default: AUTO. Use OMIT for authorization servers that refuse it.',
    }),
    oauth2CallbackMode: t.field({
      type: McpOAuth2CallbackModeEnum,
      required: false,
      description:
        'Which callback URL is registered at the authorization server. Default: OWN. Use SHARED for a client that was registered before the config existed, with the `oauthCallbackUrl` of `discoverMcpServerOAuth`.',
    }),
    apiKeyHeader: t.string({ required: false, description: 'Name of the header that carries the API key.' }),
    apiKeyValue: t.string({
      required: false,
      description: 'The complete value of that header. Stored encrypted and never returned.',
    }),
    customHeaders: t.field({
      type: [HttpHeaderInput],
      required: false,
      description:
        'All custom headers. The given list replaces the stored one. Stored encrypted and never returned. With OAUTH2 they are sent beside the access token.',
    }),
    toolAllowList: t.stringList({ required: false, description: 'If not empty, only these tools may be used.' }),
    toolDenyList: t.stringList({
      required: false,
      description: 'These tools may not be used, even if they are in the allow list.',
    }),
    toolApproval: t.field({
      type: McpToolApprovalEnum,
      required: false,
      description:
        'Whether tools may be used as the server lists them, or only as an admin approved them. Default: AUTO.',
    }),
    exposeResources: t.boolean({
      required: false,
      description:
        "Whether clients get the server's resources through the gateway, too. Tool lists and approvals do not cover them. Default: false.",
    }),
    exposePrompts: t.boolean({
      required: false,
      description:
        "Whether clients get the server's prompts through the gateway, too. Tool lists and approvals do not cover them. Default: false.",
    }),
  };
}

/** `CreateMcpServerConfigInput` */
export const CreateMcpServerConfigInput = builder.inputType('CreateMcpServerConfigInput', {
  description: 'The MCP server to define.',
  fields: (t) => ({
    displayName: t.string({ required: true, description: NAME }),
    slug: t.string({ required: true, description: SLUG }),
    url: t.string({ required: true, description: URL }),
    ...optionalFields(t),
  }),
});

/** `UpdateMcpServerConfigInput` */
export const UpdateMcpServerConfigInput = builder.inputType('UpdateMcpServerConfigInput', {
  description: 'Changes to an MCP server. An absent field stays as it is; null or "" clears a field that can be empty.',
  fields: (t) => ({
    id: t.field({
      type: 'UUID',
      required: false,
      description: 'Id of the config. Required, unless it is given beside the deprecated `patch`.',
    }),
    expectedVersion: t.int({
      required: false,
      description: 'Fail with VERSION_MISMATCH unless the config is at this version.',
    }),
    displayName: t.string({ required: false, description: NAME }),
    slug: t.string({ required: false, description: SLUG }),
    url: t.string({
      required: false,
      description: `${URL} Changing its origin ends all connections and requires the secrets to be given again.`,
    }),
    ...optionalFields(t),
  }),
});

/** `DeleteMcpServerConfigInput` */
export const DeleteMcpServerConfigInput = builder.inputType('DeleteMcpServerConfigInput', {
  description: 'The MCP server to delete.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'Id of the config.' }) }),
});

/** `DisconnectMcpServerInput` */
export const DisconnectMcpServerInput = builder.inputType('DisconnectMcpServerInput', {
  description: 'The MCP server to disconnect from.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: "Id of the server's config." }) }),
});

/** `RemoveMcpServerUserTokensInput` */
export const RemoveMcpServerUserTokensInput = builder.inputType('RemoveMcpServerUserTokensInput', {
  description: 'The tokens to remove.',
  fields: (t) => ({
    id: t.field({ type: 'UUID', required: true, description: "Id of the server's config." }),
    userId: t.field({
      type: 'UUID',
      required: false,
      description: "Only this user's tokens. Absent: those of all users.",
    }),
  }),
});

/** `RestoreMcpServerConfigVersionInput` */
export const RestoreMcpServerConfigVersionInput = builder.inputType('RestoreMcpServerConfigVersionInput', {
  description: 'The version to restore.',
  fields: (t) => ({
    id: t.field({ type: 'UUID', required: true, description: 'Id of the config.' }),
    version: t.int({
      required: true,
      description: 'The version whose values to restore, from 1. Each change of the config made one.',
    }),
    expectedVersion: t.int({
      required: false,
      description: 'Fail with VERSION_MISMATCH unless the config is at this version.',
    }),
  }),
});

/** Converts the input for the domain and wraps its secrets. */
export function toConfigInput(
  input: Omit<typeof UpdateMcpServerConfigInput.$inferInput, 'id' | 'expectedVersion'>,
): ConfigInput {
  const { oauth2ClientSecret, apiKeyValue, customHeaders, ...rest } = input;
  return {
    ...rest,
    oauth2ClientSecret: wrap(oauth2ClientSecret),
    apiKeyValue: wrap(apiKeyValue),
    customHeaders:
      customHeaders?.map(({ name, value }) => ({ name, value: new Secret(value) })) ??
      (customHeaders as null | undefined),
  };
}

function wrap(text: string | null | undefined): Secret | null | undefined {
  return typeof text === 'string' ? new Secret(text) : text;
}
