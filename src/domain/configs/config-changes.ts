import type { McpServerConfigRecord } from '../../data/records.ts';
import type { ConfigColumns } from '../../data/repositories/config-repository.ts';
import type { ConfigDraft } from './config-draft.ts';
import type { HttpHeader } from './config-input.ts';
import { hasNewOrigin } from './secret-origins.ts';

type PlainField = Exclude<keyof ConfigDraft, 'oauth2ClientSecret' | 'apiKeyValue' | 'customHeaders'>;

const PLAIN_FIELDS = [
  'displayName',
  'slug',
  'description',
  'iconUrl',
  'transport',
  'url',
  'authType',
  'oauth2ClientId',
  'oauth2AuthUrl',
  'oauth2TokenUrl',
  'oauth2RevocationUrl',
  'oauth2Issuer',
  'oauth2Scopes',
  'oauth2ResourceMode',
  'oauth2CallbackMode',
  'apiKeyHeader',
  'toolAllowList',
  'toolDenyList',
  'toolApproval',
  'exposeResources',
  'exposePrompts',
  'availability',
  'enabled',
] as const satisfies readonly PlainField[];

/** The fields that restoring an earlier version changes: all but the secrets, and the kill switch. */
export const RESTORABLE_FIELDS = PLAIN_FIELDS.filter((field) => field !== 'enabled');

/** The columns of a new config. */
export function toColumns(draft: ConfigDraft): ConfigColumns {
  return { ...pickPlain(draft), oauth2ClientSecret: null, apiKeyValue: null, customHeaders: null, ...toSecrets(draft) };
}

/** The columns that a draft changes. Empty when nothing changes. */
export function toChangedColumns(draft: ConfigDraft, current: McpServerConfigRecord): Partial<ConfigColumns> {
  const changed = PLAIN_FIELDS.filter((field) => !isSame(draft[field], current[field]));
  const secrets = toSecrets(draft);
  // Clearing an absent secret changes nothing.
  if (secrets.oauth2ClientSecret === null && !current.hasOAuth2Secret) delete secrets.oauth2ClientSecret;
  if (secrets.apiKeyValue === null && !current.hasApiKey) delete secrets.apiKeyValue;
  if (secrets.customHeaders === null && !current.hasCustomHeaders) delete secrets.customHeaders;
  return { ...Object.fromEntries(changed.map((field) => [field, draft[field]])), ...secrets };
}

/** The fields that tokens depend on. Tokens are useless at another server or for another OAuth client. */
type AuthorizationFields = Pick<
  McpServerConfigRecord,
  'url' | 'authType' | 'oauth2Issuer' | 'oauth2TokenUrl' | 'oauth2RevocationUrl' | 'oauth2ClientId'
>;

/**
 * Whether the users' tokens must be removed: they were issued for another server or another OAuth client, or would be
 * sent to another host when they are revoked.
 */
export function changesAuthorization(draft: AuthorizationFields, current: AuthorizationFields): boolean {
  return (
    hasNewOrigin(draft.url, current.url) ||
    draft.authType !== current.authType ||
    draft.oauth2Issuer !== current.oauth2Issuer ||
    draft.oauth2TokenUrl !== current.oauth2TokenUrl ||
    hasNewOrigin(draft.oauth2RevocationUrl, current.oauth2RevocationUrl) ||
    draft.oauth2ClientId !== current.oauth2ClientId
  );
}

function pickPlain(draft: ConfigDraft): Pick<ConfigDraft, PlainField> {
  return Object.fromEntries(PLAIN_FIELDS.map((field) => [field, draft[field]])) as Pick<ConfigDraft, PlainField>;
}

/** The secrets that are set or cleared. Kept secrets are omitted. */
function toSecrets(
  draft: ConfigDraft,
): Partial<Pick<ConfigColumns, 'oauth2ClientSecret' | 'apiKeyValue' | 'customHeaders'>> {
  const { oauth2ClientSecret, apiKeyValue, customHeaders } = draft;
  return {
    ...(oauth2ClientSecret.kind === 'clear' && { oauth2ClientSecret: null }),
    ...(oauth2ClientSecret.kind === 'set' && { oauth2ClientSecret: oauth2ClientSecret.value.expose() }),
    ...(apiKeyValue.kind === 'clear' && { apiKeyValue: null }),
    ...(apiKeyValue.kind === 'set' && { apiKeyValue: apiKeyValue.value.expose() }),
    ...(customHeaders.kind === 'clear' && { customHeaders: null }),
    ...(customHeaders.kind === 'set' && { customHeaders: toHeadersJson(customHeaders.value) }),
  };
}

function toHeadersJson(headers: readonly HttpHeader[]): string {
  return JSON.stringify(Object.fromEntries(headers.map(({ name, value }) => [name, value.expose()])));
}

function isSame(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right)) return left === right;
  return left.length === right.length && left.every((each, index) => each === right[index]);
}
