import { Secret } from '../../crypto/secret.ts';
import type { Credentials } from './credentials.ts';
import type { FieldReader } from './field-reader.ts';
import { parseTemplate } from './secret-template.ts';

/**
 * Reads a client's OAuth 2 settings. All are optional: what is missing is discovered.
 *
 * @param name the field with the settings, for notes
 */
export function readOAuthSettings(settings: FieldReader, name: string): Credentials {
  const credentials: Credentials = { plain: { authType: 'oauth2' }, templates: {}, notes: [] };
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
    oauth2AuthUrl: settings.text(
      ...['authorizationUrl', 'authorization_url', 'authorizationEndpoint', 'authorization_endpoint', 'authUrl'],
    ),
    oauth2TokenUrl: settings.text('tokenUrl', 'token_url', 'tokenEndpoint', 'token_endpoint'),
    oauth2RevocationUrl: settings.text('revocationUrl', 'revocation_url', 'revocationEndpoint', 'revocation_endpoint'),
    oauth2Issuer: settings.text('issuer'),
  };
  for (const [field, url] of Object.entries(urls)) {
    if (url != null && url !== '') Object.assign(plain, { [field]: url });
  }
  const scopes = readScopes(settings);
  if (scopes !== undefined) plain.oauth2Scopes = scopes;
  // In the entry itself, other readers take the other fields.
  if (name !== 'auth_type') {
    const ignored = settings.describeIgnored();
    if (ignored !== undefined) notes.push(`In "${name}": ${ignored}`);
  }
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
