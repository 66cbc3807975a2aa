import { isDeepStrictEqual } from 'node:util';
import { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import { validationFailed } from '../../errors.ts';
import { type ConfigDraft, isKept, toDraft } from '../configs/config-draft.ts';
import { type ConfigInput, type HttpHeader, SECRET_FIELDS, type SecretField } from '../configs/config-input.ts';
import { hasNewOrigin } from '../configs/secret-origins.ts';
import { Issues } from '../validation/issues.ts';
import { parseJsonc } from '../validation/json-text.ts';
import { type FilePath, isObject } from './field-reader.ts';
import type { ImportedServer, SecretPlaceholder, SecretTemplates } from './imported-server.ts';
import { fillTemplate, isGiven } from './secret-template.ts';
import { FIELD_KINDS, PLAIN_FIELDS } from './server-fields.ts';

/**
 * Secrets by `SecretPlaceholder.placeholder`. Surrounding white space is dropped; a secret of only white space is
 * absent.
 */
export type GivenSecrets = ReadonlyMap<string, Secret>;

/** No secrets were entered. */
export const NOTHING_GIVEN: GivenSecrets = new Map();

/**
 * Builds the input of `create`, or with `current` the patch of `update`, with the entered secrets filled in. A secret
 * with an open placeholder is left out, so that the stored one is kept; call `listMissing` first. The patch contains
 * only changes, and leaves out fields that the file does not mention, such as an auth type that an admin has set since.
 *
 * @throws VALIDATION_FAILED when all custom headers are entered as one value that is not a JSON object of texts
 */
export function fillSecrets(
  server: ImportedServer,
  given: GivenSecrets,
  current?: McpServerConfigRecord,
): ImportedServer['input'] {
  const input = { ...server.input, ...fillTemplates(server.templates, given, [server.input.slug]) };
  if (current === undefined) return input;
  for (const field of server.assumed) {
    // Another URL may need another transport. Otherwise guessed transports and credentials do not replace existing
    // ones.
    if (field !== 'transport' || input.url === current.url) delete input[field];
  }
  return withoutSame(input, current);
}

/**
 * Drops unchanged fields. Discovered OAuth 2 settings would become the admin's own if a patch contained them, even
 * unchanged.
 */
function withoutSame(input: ImportedServer['input'], current: McpServerConfigRecord): ImportedServer['input'] {
  // A new auth type clears the fields of the old one, unless the patch contains them.
  if (input.authType !== undefined && input.authType !== current.authType) return input;
  const draft = toDraft(new Issues(), input, current);
  const same = PLAIN_FIELDS.filter((field) => {
    const isRefused = input[field] === null && ['choice', 'flag'].includes(FIELD_KINDS[field].kind);
    return !isRefused && isDeepStrictEqual(draft[field], current[field]);
  });
  const changed = { ...input };
  for (const field of same) delete changed[field];
  return changed;
}

/**
 * The placeholders that must be filled before the server can be stored. For an update of `current`, a stored secret is
 * not asked for again, unless it would be sent elsewhere than intended.
 */
export function listMissing(
  server: ImportedServer,
  given: GivenSecrets,
  current?: McpServerConfigRecord,
): SecretPlaceholder[] {
  const open = server.secrets.filter(({ placeholder }) => !isGiven(placeholder, given));
  if (current === undefined) return open;
  const draft = toDraft(new Issues(), fillSecrets(server, given, current), current);
  const givenFields = server.secrets.filter(({ placeholder }) => isGiven(placeholder, given)).map(({ field }) => field);
  // Entering part of a secret means replacing it.
  const kept = SECRET_FIELDS.filter((field) => !givenFields.includes(field) && canKeep(field, draft, current));
  return open.filter(({ field }) => !kept.includes(field));
}

/**
 * The entered secrets, with something in place of each missing one, so that everything else can be checked before they
 * are entered.
 */
export function withStandIns(
  given: GivenSecrets,
  missing: readonly SecretPlaceholder[],
  server: ImportedServer,
): GivenSecrets {
  const isWhole = (field: SecretField) => field === 'customHeaders' && server.templates.allCustomHeaders !== undefined;
  const standIns = missing.map(({ placeholder, field }) => {
    const text = isWhole(field) ? '{"X-Placeholder": "placeholder"}' : 'placeholder';
    return [placeholder, new Secret(text)] as const;
  });
  return new Map([...given, ...standIns]);
}

/** Fills the secrets that have no open placeholder. @param path the server's position in the file, for errors */
export function fillTemplates(
  templates: SecretTemplates,
  given: GivenSecrets,
  path: FilePath,
): Pick<ConfigInput, SecretField> {
  const { oauth2ClientSecret, apiKeyValue, customHeaders, allCustomHeaders } = templates;
  const clientSecret = oauth2ClientSecret && fillTemplate(oauth2ClientSecret, given);
  const apiKey = apiKeyValue && fillTemplate(apiKeyValue, given);
  const all = allCustomHeaders && fillTemplate(allCustomHeaders, given);
  const headers = customHeaders?.map(({ name, template }) => ({ name, value: fillTemplate(template, given) }));
  return {
    ...(clientSecret !== undefined && { oauth2ClientSecret: clientSecret }),
    ...(apiKey !== undefined && { apiKeyValue: apiKey }),
    ...(headers?.every(isFilled) === true && { customHeaders: headers }),
    ...(all !== undefined && { customHeaders: readHeaders(all, path) }),
  };
}

function isFilled(header: { name: string; value: Secret | undefined }): header is HttpHeader {
  return header.value !== undefined;
}

/** Parses headers that were entered as one secret. */
function readHeaders(secret: Secret, path: FilePath): HttpHeader[] {
  const parsed = parseJsonc(secret.expose());
  const headers = parsed.ok && isObject(parsed.value) ? Object.entries(parsed.value) : [];
  if (headers.length === 0 || headers.some(([, value]) => typeof value !== 'string')) {
    const message = 'Enter all custom headers as a JSON object that maps names to values, such as {"X-Api-Key": "…"}.';
    throw validationFailed([{ path: [...path, 'customHeaders'], code: 'WRONG_TYPE', message }]);
  }
  return headers.map(([name, value]) => ({ name, value: new Secret(String(value)) }));
}

/** Whether the stored secret still fits the file: same server, same header, same client. */
function canKeep(field: SecretField, draft: ConfigDraft, current: McpServerConfigRecord): boolean {
  if (!isKept(draft, field) || movesAway(draft.url, current.url)) return false;
  if (field === 'apiKeyValue') return draft.apiKeyHeader.toLowerCase() === current.apiKeyHeader.toLowerCase();
  if (field === 'customHeaders') return true;
  return (
    draft.oauth2ClientId === current.oauth2ClientId &&
    !movesAway(draft.oauth2TokenUrl, current.oauth2TokenUrl) &&
    !movesAway(draft.oauth2RevocationUrl, current.oauth2RevocationUrl)
  );
}

/** Like `hasNewOrigin`, for URLs that have not been validated. */
function movesAway(after: string, before: string): boolean {
  if (after === before || after === '') return false;
  return !URL.canParse(after) || !URL.canParse(before) || hasNewOrigin(after, before);
}
