import { Secret } from '../../crypto/secret.ts';
import type { ConfigInput } from '../../domain/configs/config-input.ts';
import { builder } from '../builder.ts';
import { McpAuthTypeEnum, McpAvailabilityEnum, McpOAuth2ResourceModeEnum, McpTransportEnum } from './enums.ts';

const HttpHeaderInput = builder.inputType('HttpHeaderInput', {
  description: 'An HTTP header.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Name: an RFC 9110 token, none that HTTP or MCP sets itself.' }),
    value: t.string({ required: true, description: 'Value, kept secret. No line breaks.' }),
  }),
});

const NAME = 'Name for people, 1 to 120 characters.';
const SLUG = 'Unique: 1 to 64 of a-z, 0-9 and single "-".';
const URL = 'Where the server is: https (http for loopback and allowed private hosts).';

/** The fields that creation and update share; all optional. */
function optionalFields(t: PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>) {
  return {
    transport: t.field({ type: McpTransportEnum, required: false, description: 'Default: STREAMABLE_HTTP.' }),
    authType: t.field({
      type: McpAuthTypeEnum,
      required: false,
      description: 'Default: NONE. A change clears what belongs to the old type and ends all connections.',
    }),
    availability: t.field({ type: McpAvailabilityEnum, required: false, description: 'Default: DEFAULT_OFF.' }),
    enabled: t.boolean({ required: false, description: 'Default: false.' }),
    description: t.string({ required: false, description: 'At most 4,000 characters.' }),
    iconUrl: t.string({ required: false, description: 'Picture to show beside the name.' }),
    oauth2ClientId: t.string({
      required: false,
      description: 'OAuth 2 client id. Give it with both URLs, or none of the three: then they are discovered.',
    }),
    oauth2ClientSecret: t.string({ required: false, description: 'OAuth 2 client secret. Written, never read back.' }),
    oauth2AuthUrl: t.string({ required: false, description: 'OAuth 2 authorization endpoint.' }),
    oauth2TokenUrl: t.string({ required: false, description: 'OAuth 2 token endpoint.' }),
    oauth2RevocationUrl: t.string({ required: false, description: 'OAuth 2 revocation endpoint (RFC 7009).' }),
    oauth2Issuer: t.string({ required: false, description: 'Issuer identifier (RFC 8414).' }),
    oauth2Scopes: t.stringList({ required: false, description: 'Scopes to ask for.' }),
    oauth2ResourceMode: t.field({
      type: McpOAuth2ResourceModeEnum,
      required: false,
      description: 'Default: AUTO. OMIT for authorization servers that refuse the parameter.',
    }),
    apiKeyHeader: t.string({ required: false, description: 'Header that carries the API key.' }),
    apiKeyValue: t.string({ required: false, description: "The header's whole value. Written, never read back." }),
    customHeaders: t.field({
      type: [HttpHeaderInput],
      required: false,
      description: 'All custom headers: what is given is the new whole. Written, never read back.',
    }),
    toolAllowList: t.stringList({ required: false, description: 'Unless empty, only these tools may be used.' }),
    toolDenyList: t.stringList({ required: false, description: 'These tools may not be used.' }),
  };
}

/** `CreateMcpServerConfigInput` */
export const CreateMcpServerConfigInput = builder.inputType('CreateMcpServerConfigInput', {
  description: 'A new MCP server.',
  fields: (t) => ({
    displayName: t.string({ required: true, description: NAME }),
    slug: t.string({ required: true, description: SLUG }),
    url: t.string({ required: true, description: URL }),
    ...optionalFields(t),
  }),
});

/** `UpdateMcpServerConfigInput` */
export const UpdateMcpServerConfigInput = builder.inputType('UpdateMcpServerConfigInput', {
  description: 'Changes to an MCP server: an absent field stays, null or "" clears what can be empty.',
  fields: (t) => ({
    displayName: t.string({ required: false, description: NAME }),
    slug: t.string({ required: false, description: SLUG }),
    url: t.string({
      required: false,
      description: `${URL} A change of its origin ends all connections and needs the secrets again.`,
    }),
    ...optionalFields(t),
  }),
});

/** The domain's input, its secrets wrapped. */
export function toConfigInput(input: typeof UpdateMcpServerConfigInput.$inferInput): ConfigInput {
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
