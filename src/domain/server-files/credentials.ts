import { Secret } from '../../crypto/secret.ts';
import type { ConfigInput } from '../configs/config-input.ts';
import type { FieldReader } from './field-reader.ts';
import type { HeaderTemplate, SecretTemplates } from './imported-server.ts';
import { parseTemplate } from './secret-template.ts';

/** The credentials for a server, as given in a file. */
export interface Credentials {
  plain: ConfigInput;
  templates: SecretTemplates;
  notes: string[];
}

/** One header becomes an API key, several become custom headers. The server receives the same either way. */
export function toHeaderCredentials(headers: readonly HeaderTemplate[]): Credentials {
  const [first] = headers;
  if (first === undefined) return { plain: { authType: 'none' }, templates: {}, notes: [] };
  if (headers.length > 1) {
    return { plain: { authType: 'custom_headers' }, templates: { customHeaders: headers }, notes: [] };
  }
  const plain = { authType: 'api_key', apiKeyHeader: first.name } as const;
  return { plain, templates: { apiKeyValue: first.template }, notes: [] };
}

/**
 * Reads a client's OAuth 2 settings: `oauth` (VS Code, Claude Code, Gemini CLI) or `auth` (Cursor, FastMCP). Undefined
 * when there are none.
 */
export function readOAuth(reader: FieldReader): Credentials | undefined {
  const entry = reader.take('oauth', 'auth');
  if (entry === undefined || entry.value === null || entry.value === false) return undefined;
  if (entry.value === true || entry.value === 'oauth') return discovered();
  if (typeof entry.value === 'string') {
    return { ...discovered(), plain: {}, notes: [`"${entry.name}" was ignored: put the token in "headers".`] };
  }
  const settings = reader.object(entry.name);
  if (settings == null || settings.flag('enabled') === false) return undefined;
  return readSettings(settings, entry.name);
}

function discovered(): Credentials {
  return { plain: { authType: 'oauth2' }, templates: {}, notes: [] };
}

function readSettings(settings: FieldReader, name: string): Credentials {
  const credentials = discovered();
  const { plain, notes } = credentials;
  const clientId = settings.text('clientId', 'client_id', 'CLIENT_ID') ?? '';
  if (!isLiteral(clientId)) {
    notes.push('The OAuth 2 client id is a placeholder and was ignored: set it after the import.');
  } else if (clientId !== '') plain.oauth2ClientId = clientId;
  const secret = settings.text('clientSecret', 'client_secret', 'CLIENT_SECRET');
  if (secret != null && secret.trim() !== '') {
    credentials.templates = { oauth2ClientSecret: parseTemplate(secret, { name: 'clientSecret' }) };
  }
  const urls = {
    oauth2AuthUrl: settings.text('authorizationUrl', 'authorization_url'),
    oauth2TokenUrl: settings.text('tokenUrl', 'token_url'),
    oauth2Issuer: settings.text('issuer'),
  };
  for (const [field, url] of Object.entries(urls)) {
    if (url != null && url !== '') Object.assign(plain, { [field]: url });
  }
  const scopes = readScopes(settings);
  if (scopes !== undefined) plain.oauth2Scopes = scopes;
  const ignored = settings.noteIgnored();
  if (ignored !== undefined) notes.push(`In "${name}": ${ignored}`);
  return credentials;
}

function isLiteral(text: string): boolean {
  return text === '' || parseTemplate(text, { name: 'clientId' }).every((part) => part instanceof Secret);
}

/** A list (Cursor, Gemini CLI) or a space-separated text (Claude Code, RFC 6749 section 3.3). */
function readScopes(settings: FieldReader): string[] | undefined {
  const taken = settings.take('scopes', 'scope');
  if (taken === undefined || taken.value === null) return undefined;
  if (typeof taken.value === 'string') return taken.value.split(/\s+/).filter((scope) => scope !== '');
  return settings.texts(taken.name) ?? undefined;
}
