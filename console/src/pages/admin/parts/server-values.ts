import type {
  McpAuthType,
  McpAvailability,
  McpOAuth2CallbackMode,
  McpOAuth2ResourceMode,
  McpTransport,
  ServerSettingsFragment,
  UpdateMcpServerConfigInput,
} from '../generated/graphql.ts';

/** What becomes of a stored secret. */
export type SecretChoice = 'keep' | 'replace' | 'clear';

/** The settings of a server, as the fields of its form have them. */
export interface ServerValues {
  displayName: string;
  slug: string;
  description: string;
  iconUrl: string;
  url: string;
  transport: McpTransport;
  authType: McpAuthType;
  availability: McpAvailability;
  oauth2ClientId: string;
  oauth2AuthUrl: string;
  oauth2TokenUrl: string;
  oauth2RevocationUrl: string;
  oauth2Issuer: string;
  /** Separated by spaces. */
  oauth2Scopes: string;
  oauth2ResourceMode: McpOAuth2ResourceMode;
  oauth2CallbackMode: McpOAuth2CallbackMode;
  apiKeyHeader: string;
}

/** The form: the settings and the secrets, which are only written. */
export interface ServerFormValues extends ServerValues {
  oauth2ClientSecret: string;
  oauth2ClientSecretChoice: SecretChoice;
  apiKeyValue: string;
  apiKeyValueChoice: SecretChoice;
  customHeaders: { name: string; value: string }[];
  customHeadersChoice: SecretChoice;
}

const NEW_VALUES: ServerValues = {
  displayName: '',
  slug: '',
  description: '',
  iconUrl: '',
  url: '',
  transport: 'STREAMABLE_HTTP',
  authType: 'NONE',
  availability: 'DEFAULT_OFF',
  oauth2ClientId: '',
  oauth2AuthUrl: '',
  oauth2TokenUrl: '',
  oauth2RevocationUrl: '',
  oauth2Issuer: '',
  oauth2Scopes: '',
  oauth2ResourceMode: 'AUTO',
  oauth2CallbackMode: 'OWN',
  apiKeyHeader: '',
};

const NO_SECRETS = {
  oauth2ClientSecret: '',
  oauth2ClientSecretChoice: 'keep',
  apiKeyValue: '',
  apiKeyValueChoice: 'keep',
  customHeaders: [{ name: '', value: '' }],
  customHeadersChoice: 'keep',
} as const;

/** The names of the settings. */
export const SETTING_LABELS: Readonly<Record<keyof ServerValues, string>> = {
  displayName: 'Name',
  slug: 'Short name',
  description: 'What it is good for',
  iconUrl: 'Icon',
  url: 'URL',
  transport: 'Transport',
  authType: 'Sign-in',
  availability: 'Availability',
  oauth2ClientId: 'Client id',
  oauth2AuthUrl: 'Authorization URL',
  oauth2TokenUrl: 'Token URL',
  oauth2RevocationUrl: 'Revocation URL',
  oauth2Issuer: 'Issuer',
  oauth2Scopes: 'Scopes',
  oauth2ResourceMode: 'The “resource” parameter',
  oauth2CallbackMode: 'Callback URL',
  apiKeyHeader: 'Header of the API key',
};

/** The settings, in the order of the form. */
export const SETTINGS = Object.keys(SETTING_LABELS) as (keyof ServerValues)[];

/** The fields of the form at which the server's problems can be shown. */
export const FORM_FIELDS: readonly string[] = [...SETTINGS, 'oauth2ClientSecret', 'apiKeyValue', 'customHeaders'];

/** The settings that are only for one way to sign in. */
const ONLY_FOR: Readonly<Partial<Record<keyof ServerFormValues, readonly McpAuthType[]>>> = {
  apiKeyHeader: ['API_KEY'],
  apiKeyValue: ['API_KEY'],
  oauth2ClientSecret: ['OAUTH2'],
  customHeaders: ['CUSTOM_HEADERS', 'OAUTH2'],
};

function applies(name: keyof ServerFormValues, authType: McpAuthType): boolean {
  const only = ONLY_FOR[name] ?? (name.startsWith('oauth2') ? ['OAUTH2'] : undefined);
  return only === undefined || (only as readonly string[]).includes(authType);
}

/** A server's settings, as the form has them. Absent: a new server's. */
export function toValues(server: ServerSettingsFragment | undefined): ServerValues {
  if (server === undefined) return NEW_VALUES;
  const values: ServerValues = { ...NEW_VALUES };
  for (const name of SETTINGS) {
    const value = server[name];
    if (value !== null) Object.assign(values, { [name]: Array.isArray(value) ? value.join(' ') : value });
  }
  return values;
}

/** The form as it begins. */
export function toFormValues(values: ServerValues): ServerFormValues {
  return { ...values, ...NO_SECRETS, customHeaders: [{ name: '', value: '' }] };
}

const STORED = {
  oauth2ClientSecret: 'hasOAuth2Secret',
  apiKeyValue: 'hasApiKey',
  customHeaders: 'hasCustomHeaders',
} as const;

type Secret = keyof typeof STORED;

/** Whether a field of the form has a secret. Beside it is one with what becomes of the stored secret. */
export function isSecret(name: string): name is Secret {
  return Object.hasOwn(STORED, name);
}

type StoredSecrets = Pick<ServerSettingsFragment, (typeof STORED)[Secret]>;

/** Whether a stored secret is kept. What was typed before somebody chose that is not shown, nor sent. */
export function isKept(form: ServerFormValues, name: Secret, server: StoredSecrets | undefined): boolean {
  return form[`${name}Choice`] === 'keep' && server?.[STORED[name]] === true;
}

/**
 * The input of a mutation: what differs from the base, and the secrets that were given or are to be cleared.
 *
 * @param server which secrets are stored. Absent: none
 */
export function toInput(
  form: ServerFormValues,
  base: ServerValues,
  server?: StoredSecrets,
): UpdateMcpServerConfigInput {
  const input: Record<string, unknown> = {};
  for (const name of SETTINGS) {
    if (form[name] === base[name] || !applies(name, form.authType)) continue;
    if (name === 'oauth2Scopes') input[name] = form[name].split(/\s+/).filter((scope) => scope !== '');
    else input[name] = form[name].trim() === '' ? null : form[name].trim();
  }
  for (const name of ['oauth2ClientSecret', 'apiKeyValue'] as const) {
    const choice = form[`${name}Choice`];
    if (!applies(name, form.authType) || isKept(form, name, server)) continue;
    if (choice === 'clear') input[name] = null;
    else if (form[name] !== '') input[name] = form[name];
  }
  // With another way to sign in, those that are stored can be changed, but none be added.
  const hasHeaders = form.authType === 'CUSTOM_HEADERS' || server?.hasCustomHeaders === true;
  if (hasHeaders && applies('customHeaders', form.authType) && !isKept(form, 'customHeaders', server)) {
    const given = form.customHeaders.filter(({ name, value }) => name !== '' || value !== '');
    if (form.customHeadersChoice === 'clear') input['customHeaders'] = null;
    else if (given.length > 0) input['customHeaders'] = given;
  }
  return input as UpdateMcpServerConfigInput;
}
