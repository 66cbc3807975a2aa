import { isDeepStrictEqual } from 'node:util';
import { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import { validationFailed } from '../../errors.ts';
import { type ConfigDraft, isKept, toDraft } from '../configs/config-draft.ts';
import { type ConfigInput, type HttpHeader, SECRET_FIELDS, type SecretField } from '../configs/config-input.ts';
import { hasNewOrigin } from '../configs/config-rules.ts';
import { Issues } from '../validation/issues.ts';
import { type FilePath, isObject } from './field-reader.ts';
import type { ImportedServer, SecretPlaceholder, SecretTemplates } from './imported-server.ts';
import { parseJsonc } from './jsonc.ts';
import { fillTemplate, isGiven } from './secret-template.ts';
import { FIELD_KINDS, PLAIN_FIELDS } from './server-fields.ts';

/** Secrets by `SecretPlaceholder.placeholder`. White space around them is dropped; nothing but white space is none. */
export type GivenSecrets = ReadonlyMap<string, Secret>;

/** Nothing was given. */
export const NOTHING_GIVEN: GivenSecrets = new Map();

/**
 * The input of `create`, or with `current` the patch of `update`: the given secrets in their places. A secret with an
 * open gap is left out, so that what is stored stays; ask `listMissing` first. The patch has only what changes, and
 * leaves alone what the file says nothing of, such as an auth type that an admin has set since.
 *
 * @throws VALIDATION_FAILED when all custom headers are given as one and are no JSON object of texts
 */
export function fillSecrets(
  server: ImportedServer,
  given: GivenSecrets,
  current?: McpServerConfigRecord,
): ImportedServer['input'] {
  const input = { ...server.input, ...fillTemplates(server.templates, given, [server.input.slug]) };
  if (current === undefined) return input;
  for (const field of server.assumed) {
    // Another URL may want another transport; name and credentials are not guessed over what is there.
    if (field !== 'transport' || input.url === current.url) delete input[field];
  }
  return withoutSame(input, current);
}

/** Discovered OAuth 2 settings become an admin's own when a patch has them, even as they are. */
function withoutSame(input: ImportedServer['input'], current: McpServerConfigRecord): ImportedServer['input'] {
  // A new auth type clears what belonged to the old one, unless the patch has it.
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
 * What has still to be given before the server can be stored. For an update of `current`, a secret that is stored
 * already is not asked for again, unless it would go to another place than it was given for.
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
  // Who gives one part of a secret wants to replace it.
  const kept = SECRET_FIELDS.filter((field) => !givenFields.includes(field) && canKeep(field, draft, current));
  return open.filter(({ field }) => !kept.includes(field));
}

/** The secrets that have no open gap. @param path where the server stands, for errors */
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

/** Headers that were given as one secret. */
function readHeaders(secret: Secret, path: FilePath): HttpHeader[] {
  const parsed = parseJsonc(secret.expose());
  const headers = parsed.ok && isObject(parsed.value) ? Object.entries(parsed.value) : [];
  if (headers.length === 0 || headers.some(([, value]) => typeof value !== 'string')) {
    const message = 'Give all custom headers as a JSON object of names and values, such as {"X-Api-Key": "…"}.';
    throw validationFailed([{ path: [...path, 'customHeaders'], code: 'WRONG_TYPE', message }]);
  }
  return headers.map(([name, value]) => ({ name, value: new Secret(String(value)) }));
}

/** Whether the stored secret would be what the file means: same server, same header, same client. */
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

/** As `hasNewOrigin`, for URLs that no rule has seen yet. */
function movesAway(after: string, before: string): boolean {
  if (after === before || after === '') return false;
  return !URL.canParse(after) || !URL.canParse(before) || hasNewOrigin(after, before);
}
