import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import { checkHeaderName, checkHeaderValue } from '../validation/header.ts';
import type { Issues } from '../validation/issues.ts';
import { checkName, checkText, trimmed } from '../validation/text.ts';
import { checkUrl, type IsAllowedPrivateHost } from '../validation/url.ts';
import { needsDiscovery } from './config-discovery.ts';
import { type ConfigDraft, isPresent } from './config-draft.ts';
import type { ConfigInput } from './config-input.ts';
import { checkSecretOrigins, type StoredConfig } from './secret-origins.ts';

const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
/** RFC 6749, section 3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

const MAX_DISPLAY_NAME = FIELD_LIMITS.displayName.value;
const MAX_DESCRIPTION = FIELD_LIMITS.description.value;
const MAX_NAME = FIELD_LIMITS.name.value;
const MAX_CLIENT_ID = FIELD_LIMITS.clientId.value;
const MAX_SECRET = FIELD_LIMITS.secret.value;
const MAX_LIST_ENTRIES = FIELD_LIMITS.listEntries.value;
const MAX_HEADERS = FIELD_LIMITS.headers.value;

const OPTIONAL_URLS = [
  'iconUrl',
  'oauth2AuthUrl',
  'oauth2TokenUrl',
  'oauth2RevocationUrl',
  'oauth2Issuer',
] as const satisfies readonly (keyof ConfigDraft)[];

/**
 * Reports all problems of a draft. The input gives the positions of the problems in the request; `before` is absent on
 * creation.
 */
export function checkDraft(
  issues: Issues,
  { draft, input, before }: { draft: ConfigDraft; input: ConfigInput; before?: StoredConfig | undefined },
  isAllowedPrivateHost: IsAllowedPrivateHost,
): void {
  checkNames(issues, draft);
  checkUrls(issues, draft, isAllowedPrivateHost);
  checkLists(issues, draft, input);
  checkCredentials(issues, draft);
  checkAuthType(issues, draft);
  if (before !== undefined) checkSecretOrigins(issues, { draft, input, before });
}

function checkNames(issues: Issues, draft: ConfigDraft): void {
  if (draft.displayName === '') {
    issues.add(['displayName'], 'REQUIRED', 'Enter a display name.');
  } else {
    checkName(issues, ['displayName'], draft.displayName, MAX_DISPLAY_NAME);
  }
  if (draft.slug === '') {
    issues.add(['slug'], 'REQUIRED', 'Enter a short name for tools and URLs, such as "github".');
  } else if (!SLUG.test(draft.slug) || draft.slug.includes('--')) {
    issues.add(
      ['slug'],
      'INVALID_SLUG',
      'Use 1 to 64 lower-case letters, digits and single "-", with a letter or digit at both ends.',
    );
  }
  checkText(issues, ['description'], draft.description, MAX_DESCRIPTION);
}

function checkUrls(issues: Issues, draft: ConfigDraft, isAllowedPrivateHost: IsAllowedPrivateHost): void {
  if (draft.url === '') issues.add(['url'], 'REQUIRED', 'Enter the URL of the MCP server.');
  else checkUrl(issues, ['url'], draft.url, isAllowedPrivateHost);
  for (const field of OPTIONAL_URLS) {
    if (draft[field] !== '') checkUrl(issues, [field], draft[field], isAllowedPrivateHost);
  }
  // RFC 8414, section 2: an issuer has no query.
  if (draft.oauth2Issuer.includes('?') && !issues.has('oauth2Issuer')) {
    issues.add(['oauth2Issuer'], 'INVALID_URL', 'An issuer must not have a query (the part from "?").');
  }
}

function checkLists(issues: Issues, draft: ConfigDraft, input: ConfigInput): void {
  for (const field of ['oauth2Scopes', 'toolAllowList', 'toolDenyList'] as const) {
    const list = draft[field];
    if (list.length > MAX_LIST_ENTRIES) {
      issues.add([field], 'TOO_MANY', `Has more than ${MAX_LIST_ENTRIES.toLocaleString('en')} entries.`);
      continue;
    }
    const positions = findPositions(input[field] ?? []);
    for (const name of list) {
      const path = [field, positions.get(name) ?? list.indexOf(name)];
      if (checkName(issues, path, name, MAX_NAME) && field === 'oauth2Scopes' && !SCOPE_TOKEN.test(name)) {
        issues.add(path, 'INVALID_SCOPE', 'Is not a valid scope: spaces, quotes and backslashes are not allowed.');
      }
    }
  }
}

/** The position of each name in the list as it was sent, before empty names and duplicates were removed. */
function findPositions(sent: readonly string[]): Map<string, number> {
  return new Map(sent.map((name, index) => [trimmed(name), index] as const).reverse());
}

function checkCredentials(issues: Issues, draft: ConfigDraft): void {
  checkName(issues, ['oauth2ClientId'], draft.oauth2ClientId, MAX_CLIENT_ID);
  if (draft.oauth2ClientSecret.kind === 'set') {
    checkText(issues, ['oauth2ClientSecret'], draft.oauth2ClientSecret.value.expose(), MAX_SECRET);
  }
  if (draft.apiKeyHeader !== '') checkHeaderName(issues, ['apiKeyHeader'], draft.apiKeyHeader);
  if (draft.apiKeyValue.kind === 'set') {
    const value = draft.apiKeyValue.value.expose();
    checkHeaderValue(issues, ['apiKeyValue'], value);
    if (!issues.has('apiKeyValue')) checkText(issues, ['apiKeyValue'], value, MAX_SECRET);
  }
  if (draft.customHeaders.kind === 'set') checkCustomHeaders(issues, draft.customHeaders.value, draft.authType);
}

function checkCustomHeaders(
  issues: Issues,
  headers: readonly { name: string; value: { expose(): string } }[],
  authType: ConfigDraft['authType'],
): void {
  if (headers.length > MAX_HEADERS) {
    issues.add(['customHeaders'], 'TOO_MANY', `Has more than ${MAX_HEADERS} headers.`);
    return;
  }
  const seen = new Set<string>();
  for (const [index, { name, value }] of headers.entries()) {
    checkHeaderName(issues, ['customHeaders', index, 'name'], name);
    checkHeaderValue(issues, ['customHeaders', index, 'value'], value.expose());
    if (seen.has(name.toLowerCase())) {
      issues.add(
        ['customHeaders', index, 'name'],
        'DUPLICATE',
        'This header is already in the list (names are not case-sensitive).',
      );
    }
    if (authType === 'oauth2' && name.toLowerCase() === 'authorization') {
      const message = 'This header has the access token when the auth type is OAuth 2; remove it.';
      issues.add(['customHeaders', index, 'name'], 'RESERVED_HEADER_NAME', message);
    }
    seen.add(name.toLowerCase());
  }
}

function checkAuthType(issues: Issues, draft: ConfigDraft): void {
  const require = (field: keyof ConfigDraft, isMissing: boolean, message: string): void => {
    if (isMissing) issues.add([field], 'REQUIRED', message);
  };
  if (draft.authType === 'oauth2') {
    if (needsDiscovery(draft)) {
      const isSecretAlone = draft.oauth2ClientSecret.kind === 'set';
      require('oauth2ClientId', isSecretAlone, 'Enter the client id that this secret belongs to, and both URLs.');
      // A server that chooses its authorization server by itself must not share a callback with others: mix-up attacks.
      const isShared = draft.oauth2CallbackMode === 'shared';
      require('oauth2ClientId', isShared, 'Enter the client id that is registered with the shared callback, and both URLs, or choose the own callback.');
      return;
    }
    const why =
      'is required too: enter the client id, authorization URL and token URL, or leave all three empty for discovery.';
    require('oauth2ClientId', draft.oauth2ClientId === '', `The client id ${why}`);
    require('oauth2AuthUrl', draft.oauth2AuthUrl === '', `The authorization URL ${why}`);
    require('oauth2TokenUrl', draft.oauth2TokenUrl === '', `The token URL ${why}`);
  } else if (draft.authType === 'api_key') {
    require('apiKeyHeader', draft.apiKeyHeader ===
      '', 'Enter the header that carries the key, such as "Authorization".');
    require('apiKeyValue', !isPresent(draft.apiKeyValue), 'Enter the API key.');
  } else if (draft.authType === 'custom_headers') {
    require('customHeaders', !isPresent(draft.customHeaders), 'Enter at least one header.');
  }
}
