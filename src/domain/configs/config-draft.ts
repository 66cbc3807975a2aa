import { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Issues } from '../validation/issues.ts';
import { toNameList, trimmed } from '../validation/text.ts';
import type { ConfigInput, HttpHeader, SecretField } from './config-input.ts';

/** What happens to a stored secret: it is kept, cleared or replaced. */
export type SecretChange<Value> = { kind: 'keep'; stored: boolean } | { kind: 'clear' } | { kind: 'set'; value: Value };

type StoredFields = Omit<
  McpServerConfigRecord,
  | 'id'
  | 'hasOAuth2Secret'
  | 'hasApiKey'
  | 'hasCustomHeaders'
  | 'secretKeyDigests'
  | 'version'
  | 'createdById'
  | 'updatedById'
  | 'createdAt'
  | 'updatedAt'
>;

/** A config as it would be after the change. The rules are checked against it. */
export interface ConfigDraft extends StoredFields {
  oauth2ClientSecret: SecretChange<Secret>;
  apiKeyValue: SecretChange<Secret>;
  customHeaders: SecretChange<HttpHeader[]>;
}

const EMPTY: StoredFields = {
  displayName: '',
  slug: '',
  description: '',
  iconUrl: '',
  transport: 'streamable_http',
  url: '',
  authType: 'none',
  oauth2ClientId: '',
  oauth2AuthUrl: '',
  oauth2TokenUrl: '',
  oauth2RevocationUrl: '',
  oauth2Issuer: '',
  oauth2Scopes: [],
  oauth2ResourceMode: 'auto',
  oauth2CallbackMode: 'own',
  apiKeyHeader: '',
  toolAllowList: [],
  toolDenyList: [],
  toolApproval: 'auto',
  exposeResources: false,
  exposePrompts: false,
  availability: 'default_off',
  enabled: false,
};

/** The fields of each auth type. They are cleared when a config changes to another type. */
const FIELDS_OF_AUTH_TYPE = {
  none: [],
  oauth2: [
    'oauth2ClientId',
    'oauth2ClientSecret',
    'oauth2AuthUrl',
    'oauth2TokenUrl',
    'oauth2RevocationUrl',
    'oauth2Issuer',
    'oauth2Scopes',
    'oauth2ResourceMode',
    'oauth2CallbackMode',
  ],
  api_key: ['apiKeyHeader', 'apiKeyValue'],
  custom_headers: ['customHeaders'],
} as const satisfies Record<string, readonly (keyof ConfigInput)[]>;

const TEXT_FIELDS = [
  'displayName',
  'slug',
  'url',
  'description',
  'iconUrl',
  'oauth2ClientId',
  'oauth2AuthUrl',
  'oauth2TokenUrl',
  'oauth2RevocationUrl',
  'oauth2Issuer',
  'apiKeyHeader',
] as const;

const LIST_FIELDS = ['oauth2Scopes', 'toolAllowList', 'toolDenyList'] as const;

const CHOICE_FIELDS = ['transport', 'authType', 'availability', 'enabled'] as const;

/** Choices that null resets to the default of a new config. */
const RESETTABLE_FIELDS = [
  'oauth2ResourceMode',
  'oauth2CallbackMode',
  'toolApproval',
  'exposeResources',
  'exposePrompts',
] as const;

/**
 * Merges an input into the config it changes (or into an empty one) and normalises it. Reports a null for a field that
 * cannot be cleared; `checkDraft` reports everything else.
 */
export function toDraft(issues: Issues, input: ConfigInput, current?: McpServerConfigRecord): ConfigDraft {
  const effective = current === undefined ? input : leaveAuthType(input, current);
  const base = current ?? EMPTY;
  const draft: ConfigDraft = {
    ...(Object.fromEntries(
      Object.keys(EMPTY).map((key) => [key, base[key as keyof StoredFields]]),
    ) as unknown as StoredFields),
    oauth2ClientSecret: toSecretChange(effective.oauth2ClientSecret, current?.hasOAuth2Secret),
    apiKeyValue: toSecretChange(effective.apiKeyValue, current?.hasApiKey),
    customHeaders: toHeadersChange(effective.customHeaders, current?.hasCustomHeaders),
  };
  for (const field of TEXT_FIELDS) {
    const given = effective[field];
    if (given !== undefined) draft[field] = trimmed(given ?? '');
  }
  for (const field of LIST_FIELDS) {
    const given = effective[field];
    if (given !== undefined) draft[field] = toNameList(given ?? []);
  }
  for (const field of CHOICE_FIELDS) {
    const given = effective[field];
    if (given === null) {
      issues.add([field], 'REQUIRED', 'Cannot be cleared; omit it to keep the current value.');
    } else if (given !== undefined) {
      Object.assign(draft, { [field]: given });
    }
  }
  for (const field of RESETTABLE_FIELDS) {
    const given = effective[field];
    if (given !== undefined) Object.assign(draft, { [field]: given ?? EMPTY[field] });
  }
  return draft;
}

/** Clears the fields of the previous auth type, unless the input sets them. */
function leaveAuthType(input: ConfigInput, current: McpServerConfigRecord): ConfigInput {
  if (input.authType == null || input.authType === current.authType) return input;
  const cleared = FIELDS_OF_AUTH_TYPE[current.authType].filter((field) => input[field] === undefined);
  return { ...input, ...Object.fromEntries(cleared.map((field) => [field, null])) };
}

function toSecretChange(given: Secret | null | undefined, stored = false): SecretChange<Secret> {
  if (given === undefined) return { kind: 'keep', stored };
  const text = given === null ? '' : trimmed(given.expose());
  return text === '' ? { kind: 'clear' } : { kind: 'set', value: new Secret(text) };
}

function toHeadersChange(given: readonly HttpHeader[] | null | undefined, stored = false): SecretChange<HttpHeader[]> {
  if (given === undefined) return { kind: 'keep', stored };
  if (given === null || given.length === 0) return { kind: 'clear' };
  const headers = given.map(({ name, value }) => ({ name: trimmed(name), value: new Secret(trimmed(value.expose())) }));
  return { kind: 'set', value: headers };
}

/** Whether a secret exists after the change. */
export function isPresent(change: SecretChange<unknown>): boolean {
  return change.kind === 'set' || (change.kind === 'keep' && change.stored);
}

/** Whether a stored secret stays unchanged. */
export function isKept(draft: ConfigDraft, field: SecretField): boolean {
  const change = draft[field];
  return change.kind === 'keep' && change.stored;
}
