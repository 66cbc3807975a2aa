import { Secret } from '../crypto/secret.ts';
import type { OidcSettings, OidcSignInSettings } from '../domain/credentials/oidc-settings.ts';
import { isLoopbackHost } from '../domain/validation/url.ts';
import { CREDENTIAL_LIMITS } from '../limits/credential-limits.ts';
import { FIELD_LIMITS } from '../limits/field-limits.ts';
import { ROLES, type Role } from '../policy/viewer.ts';
import type { SettingReader } from './setting-reader.ts';

const PREFIX = 'GATEHOUSE_OIDC_';
const DEFAULT_ROLE_CLAIM = 'gatehouse_role';
const DEFAULT_SCOPES = ['openid', 'profile', 'email'];
const DEFAULT_LABEL = 'your organisation';
const HOUR_MS = 3_600_000;
/** Thirty days. The role and the membership are only read again at the next sign-in. */
const MOST_HOURS = 720;
const MAX_LABEL = FIELD_LIMITS.displayName.value;

/** RFC 6749, section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** What `readOidcSettings` works with. */
export interface OidcReaderOptions {
  reader: SettingReader;
  /** Reads a setting that is true or false. */
  readBoolean(name: string, byDefault: boolean): boolean;
  /** Gets what is wrong, never a secret. */
  problems: string[];
}

/** Reads the settings of the OpenID Connect issuer. Undefined when there is none. */
export function readOidcSettings({ reader, readBoolean, problems }: OidcReaderOptions): OidcSettings | undefined {
  const issuer = reader.text(`${PREFIX}ISSUER`);
  const audience = reader.text(`${PREFIX}AUDIENCE`);
  const roleClaim = reader.text(`${PREFIX}ROLE_CLAIM`);
  const shared = {
    roleMap: parseRoleMap(reader.list(`${PREFIX}ROLE_MAP`), problems),
    emailDomains: parseDomains(reader.list(`${PREFIX}EMAIL_DOMAINS`), problems),
    allowsSignUp: readBoolean(`${PREFIX}ALLOW_SIGNUP`, true),
  };
  const signIn = readSignIn(reader, problems);
  if (issuer === undefined) {
    if ([...reader.given].some((name) => name.startsWith(PREFIX))) {
      problems.push(`${PREFIX}ISSUER: is required when another ${PREFIX} variable is set.`);
    }
    return undefined;
  }
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname));
  if (!isSafe || url?.search !== '' || url.hash !== '') {
    problems.push(`${PREFIX}ISSUER: must be an https URL without a query or fragment.`);
  }
  if (audience === undefined && signIn === undefined) {
    problems.push(
      `${PREFIX}AUDIENCE: is required with ${PREFIX}ISSUER, so that tokens for other services are rejected; or set ${PREFIX}CLIENT_ID for people who sign in with a browser.`,
    );
  }
  return { issuer, audience, roleClaim: roleClaim ?? DEFAULT_ROLE_CLAIM, ...shared, signIn };
}

function readSignIn(reader: SettingReader, problems: string[]): OidcSignInSettings | undefined {
  const clientId = reader.text(`${PREFIX}CLIENT_ID`);
  const clientSecret = reader.text(`${PREFIX}CLIENT_SECRET`);
  const scopes = parseScopes(reader.text(`${PREFIX}SCOPES`), problems);
  const label = parseLabel(reader.text(`${PREFIX}LABEL`), problems);
  const sessionHours = parseHours(reader.text(`${PREFIX}SESSION_HOURS`), problems);
  if (clientId === undefined) {
    if (clientSecret !== undefined) {
      problems.push(`${PREFIX}CLIENT_ID: is required with ${PREFIX}CLIENT_SECRET.`);
    }
    return undefined;
  }
  return {
    clientId,
    clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret),
    scopes,
    label,
    sessionHours,
  };
}

function parseScopes(text: string | undefined, problems: string[]): string[] {
  if (text === undefined) return DEFAULT_SCOPES;
  const scopes = [...new Set(text.split(/[\s,]+/).filter((each) => each !== ''))];
  if (!scopes.includes('openid') || !scopes.every((scope) => SCOPE.test(scope))) {
    problems.push(`${PREFIX}SCOPES: must be scopes with spaces between them, and "openid" must be one of them.`);
  }
  return scopes;
}

function parseLabel(text: string | undefined, problems: string[]): string {
  if (text !== undefined && (text.length > MAX_LABEL || /\p{C}/u.test(text))) {
    problems.push(`${PREFIX}LABEL: must be a name of at most ${MAX_LABEL} characters, such as "Example account".`);
  }
  return text ?? DEFAULT_LABEL;
}

function parseHours(text: string | undefined, problems: string[]): number {
  const byDefault = CREDENTIAL_LIMITS.oidcSessionAge.value / HOUR_MS;
  if (text === undefined) return byDefault;
  const hours = Number(text);
  if (Number.isInteger(hours) && hours >= 1 && hours <= MOST_HOURS) return hours;
  problems.push(`${PREFIX}SESSION_HOURS: must be a whole number from 1 to ${MOST_HOURS}.`);
  return byDefault;
}

function parseDomains(entries: readonly string[], problems: string[]): string[] {
  return entries.map((entry) => {
    const domain = entry.toLowerCase();
    if (!DOMAIN.test(domain)) {
      problems.push(`${PREFIX}EMAIL_DOMAINS: "${entry}" is not a domain such as example.com.`);
    }
    return domain;
  });
}

/** The last `=` separates, because the values of claims may contain one, as names in directories do. */
function parseRoleMap(entries: readonly string[], problems: string[]): Map<string, Role> | undefined {
  if (entries.length === 0) return undefined;
  const map = new Map<string, Role>();
  for (const entry of entries) {
    const at = entry.lastIndexOf('=');
    const value = entry.slice(0, Math.max(at, 0)).trim();
    const role = ROLES.find((each) => each === entry.slice(at + 1).trim());
    if (value === '' || role === undefined) {
      problems.push(`${PREFIX}ROLE_MAP: "${entry}" is not a value and a role such as gatehouse-admins=admin.`);
    } else if (map.has(value)) {
      problems.push(`${PREFIX}ROLE_MAP: "${value}" has two roles.`);
    } else {
      map.set(value, role);
    }
  }
  return map;
}
