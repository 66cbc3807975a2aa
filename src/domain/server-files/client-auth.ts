import { Secret } from '../../crypto/secret.ts';
import { toBearer } from './client-headers.ts';
import type { Credentials } from './credentials.ts';
import { type FieldReader, toPlainName } from './field-reader.ts';
import type { HeaderTemplate } from './imported-server.ts';
import { readOAuthSettings } from './oauth-settings.ts';
import { parseTemplate, type SecretTemplate } from './secret-template.ts';

/** How an entry says that the client authenticates. */
export type ClientAuth =
  | { kind: 'unsaid' }
  | { kind: 'none' }
  | { kind: 'oauth2'; credentials: Credentials }
  | { kind: 'header'; header: HeaderTemplate; notes: string[] }
  | { kind: 'unsupported'; reason: string };

type Mode = 'none' | 'oauth2' | 'bearer' | 'api_key' | 'basic' | 'raw' | 'client_credentials';

/** The words for modes, in plain form. */
const MODES: ReadonlyMap<string, Mode> = new Map(
  Object.entries({
    none: ['none', 'noauth', 'anonymous', 'public', 'off', 'disabled', 'false'],
    oauth2: [
      ...['oauth', 'oauth2', 'oauth20', 'oauth21', 'oauth21static', 'oauth2pkce', 'pkce', 'dcr', 'true', 'authcode'],
      ...['authorizationcode', 'oauth2authorizationcode', 'dynamicdiscovery', 'oidc', 'openidconnect'],
    ],
    bearer: ['bearer', 'bearertoken', 'token', 'pat', 'personalaccesstoken', 'httpbearer', 'jwt', 'bearerauth'],
    api_key: ['apikey', 'key', 'header', 'headers', 'custom', 'customheader', 'customheaders', 'apikeyauth'],
    basic: ['basic', 'basicauth', 'httpbasic'],
    raw: ['authorization', 'authorizationheader'],
    client_credentials: ['clientcredentials', 'oauth2clientcredentials', 'm2m', 'machinetomachine', 'oauth2m2m'],
  } satisfies Record<Mode, string[]>).flatMap(([mode, words]) => words.map((word) => [word, mode as Mode] as const)),
);

const MODE_FIELDS = [
  ...['mode', 'type', 'kind', 'method', 'strategy', 'scheme', 'auth_type', 'authType', 'authorization_type'],
  ...['grant_type', 'grantType', 'flow', 'oauth2_flow'],
];
const HEADER_FIELDS = ['headerName', 'header_name', 'header', 'custom_header', 'customHeader', 'apiKeyHeader'];
const VALUE_FIELDS = [
  ...['value', 'key', 'apiKey', 'api_key', 'token', 'bearerToken', 'bearer_token', 'auth_value', 'authValue'],
  ...['authentication_token', 'accessToken', 'access_token', 'secret'],
];
const VARIABLE_FIELDS = ['env', 'envVar', 'env_var', 'fromEnv', 'tokenEnvVar', 'keyEnvVar', 'valueEnv'];

const DEFAULT_KEY_HEADER = 'X-API-Key';

const NO_CLIENT_CREDENTIALS =
  'It uses client credentials (OAuth 2 without a user), which the gateway does not have: use a header or OAuth 2 with users.';

/**
 * Reads how the client authenticates: `oauth` (VS Code, Claude Code, Gemini CLI), `auth` (Cursor, FastMCP), `auth_type`
 * with its fields beside it (LiteLLM, Open WebUI), `apiKey` and `requiresOAuth` (LibreChat).
 */
export function readClientAuth(reader: FieldReader): ClientAuth {
  const entry = reader.take('oauth', 'auth', 'authentication', 'oauth2', 'apiKey', 'api_key');
  const requiresOAuth = reader.flag('requiresOAuth', 'requires_oauth') === true;
  const byMode = entry?.value == null ? readFlat(reader) : readEntry(reader, entry);
  return byMode.kind === 'unsaid' && requiresOAuth ? discovered() : byMode;
}

function discovered(): ClientAuth {
  return { kind: 'oauth2', credentials: { plain: { authType: 'oauth2' }, templates: {}, notes: [] } };
}

/** `auth_type` and the like, with the settings in the entry itself. */
function readFlat(reader: FieldReader): ClientAuth {
  const provider = reader.text('authProviderType', 'auth_provider_type');
  const written = reader.text('auth_type', 'authType');
  const flow = reader.text('oauth2_flow', 'grant_type', 'grantType') ?? '';
  const word = toPlainName(written ?? provider ?? '');
  if (MODES.get(toPlainName(flow)) === 'client_credentials')
    return { kind: 'unsupported', reason: NO_CLIENT_CREDENTIALS };
  if (word === '') return { kind: 'unsaid' };
  // LiteLLM: with a token URL and no authorization URL, the client has no user.
  const has = (name: string) => reader.peek(name) !== undefined && reader.peek(name) !== null;
  const isAlone = MODES.get(word) === 'oauth2' && has('token_url') && !has('authorization_url');
  return readMode(reader, isAlone ? 'clientcredentials' : word, 'auth_type');
}

function readEntry(reader: FieldReader, { name, value }: { name: string; value: unknown }): ClientAuth {
  const isKey = toPlainName(name) === 'apikey';
  if (value === false) return { kind: 'none' };
  if (value === true) return discovered();
  if (typeof value === 'string') {
    const mode = MODES.get(toPlainName(value));
    // The names of modes are short; everything else is the token (FastMCP), or with `apiKey` the key.
    if (mode !== undefined && !isKey) return readMode(reader, toPlainName(value), name);
    return { kind: 'header', header: isKey ? toKeyHeader(reader, value) : toBearer(value), notes: [] };
  }
  const settings = reader.object(name);
  if (settings == null) return { kind: 'unsaid' };
  if (settings.flag('enabled') === false) return { kind: 'none' };
  const written = MODE_FIELDS.map((field) => settings.peek(field)).filter((each) => typeof each === 'string');
  for (const field of MODE_FIELDS) settings.take(field);
  const words = written.map((each) => toPlainName(String(each)));
  if (words.some((word) => MODES.get(word) === 'client_credentials')) {
    return { kind: 'unsupported', reason: NO_CLIENT_CREDENTIALS };
  }
  return readMode(settings, words[0] ?? guessMode(settings, isKey), name);
}

function guessMode(settings: FieldReader, isKey: boolean): string {
  const names = settings.entries().map(([name]) => toPlainName(name));
  const has = (...fields: string[]) => fields.some((field) => names.includes(field));
  if (has('username', 'user', 'password')) return 'basic';
  if (isKey || has('headername', 'header', 'apikey', 'apikeyheader')) return 'apikey';
  if (has('token', 'bearertoken', 'accesstoken') && !has('clientid', 'authorizationurl')) return 'bearer';
  return 'oauth2';
}

/** @param word the mode in plain form */
function readMode(settings: FieldReader, word: string, field: string): ClientAuth {
  const mode = MODES.get(word);
  switch (mode) {
    case 'none':
      return { kind: 'none' };
    case 'oauth2':
      return { kind: 'oauth2', credentials: readOAuthSettings(settings, field) };
    case 'client_credentials':
      return { kind: 'unsupported', reason: NO_CLIENT_CREDENTIALS };
    case undefined:
      return { kind: 'unsupported', reason: `Its "${field}" is of a kind that the gateway does not have.` };
    default:
      return readHeaderMode(settings, mode);
  }
}

function readHeaderMode(settings: FieldReader, mode: 'bearer' | 'api_key' | 'basic' | 'raw'): ClientAuth {
  // In an entry itself, some of these fields may be something else than text.
  const text = (...names: readonly string[]): string => {
    const name = names.find((each) => typeof settings.peek(each) === 'string');
    return name === undefined ? '' : String(settings.take(name)?.value).trim();
  };
  const place = toPlainName(text('in', 'location'));
  if (['query', 'cookie', 'body', 'path'].includes(place)) {
    return { kind: 'unsupported', reason: 'Its key is not sent in a header: the gateway only has headers.' };
  }
  const value = text(...VALUE_FIELDS);
  const variable = text(...VARIABLE_FIELDS);
  const given = text(...HEADER_FIELDS);
  const isKey = mode === 'api_key';
  const name = given || (isKey ? DEFAULT_KEY_HEADER : 'Authorization');
  const notes =
    isKey && given === '' ? [`The file does not name the header for the key: "${DEFAULT_KEY_HEADER}" is assumed.`] : [];
  const toResult = (template: SecretTemplate): ClientAuth => ({ kind: 'header', header: { name, template }, notes });
  if (mode === 'basic') return toResult(toBasic(name, text('username', 'user'), text('password', 'pass'), value));
  const secret: SecretTemplate = value === '' ? [{ name: variable || name }] : parseTemplate(value, { name });
  const scheme = text('prefix', 'valuePrefix') || (mode === 'bearer' && !/^Bearer\s/i.test(value) ? 'Bearer' : '');
  return toResult(scheme === '' ? secret : [new Secret(`${scheme} `), ...secret]);
}

/** RFC 7617. With a placeholder, the whole value is asked for, because it must be encoded as one. */
function toBasic(name: string, user: string, password: string, value: string): SecretTemplate {
  if (value !== '') {
    const template = parseTemplate(value, { name });
    return /^Basic\s/i.test(value) ? template : [new Secret('Basic '), ...template];
  }
  const isLiteral = [user, password].every(
    (part) => part !== '' && parseTemplate(part, { name }).every((each) => each instanceof Secret),
  );
  if (!isLiteral) return [new Secret('Basic '), { name }];
  return [new Secret(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)];
}

/** `apiKey: "…"` with the header's name beside it. */
function toKeyHeader(reader: FieldReader, value: string): HeaderTemplate {
  const name = reader.text('apiKeyHeader', 'api_key_header', 'headerName', 'header_name')?.trim();
  return name ? { name, template: parseTemplate(value, { name }) } : toBearer(value);
}
