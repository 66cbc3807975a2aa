import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';
import type { TokenEndpointFailure } from './token-endpoint-error.ts';

/** The fields of an answer that is not a token. */
type Fields = Readonly<Record<string, unknown>>;

/** An answer of a token endpoint that has no token. */
export interface TokenlessAnswer {
  status: number;
  /** The JSON object in it. Undefined when there is none. */
  fields: Fields | undefined;
  /** Whether it is an HTML page. */
  isPage: boolean;
}

/** What an answer of a token endpoint says that is not a token. */
export interface Refusal {
  failure: TokenEndpointFailure;
  /** The server's error code in lower case, with `_` for everything else. Empty when it gives none. */
  code: string;
  /** The server's explanation, as received. */
  description: unknown;
}

/**
 * Codes that say that a refresh token or its grant can never be used again. RFC 6749, section 5.2, defines
 * `invalid_grant`; OpenID Connect Core 1.0, section 3.1.2.6, defines the codes that need the user; the others are from
 * the documentation of GitHub, Slack, HubSpot and Salesforce, and from bug reports.
 */
const DEAD_GRANT = new Set([
  'invalid_grant',
  'bad_refresh_token',
  'invalid_refresh_token',
  'expired_refresh_token',
  'revoked_refresh_token',
  'unknown_refresh_token',
  'refresh_token_invalid',
  'refresh_token_expired',
  'refresh_token_revoked',
  'refresh_token_not_found',
  'refresh_token_reused',
  'invalid_token',
  'expired_token',
  'revoked_token',
  'token_expired',
  'token_revoked',
  'authorization_not_found',
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required',
  'account_inactive',
  'inactive_user',
  'inactive_org',
]);

/** Codes that say that the server did not accept the gateway as a client. From the same sources. */
const BAD_CLIENT = new Set([
  'invalid_client',
  'unauthorized_client',
  'incorrect_client_credentials',
  'invalid_client_credentials',
  'invalid_client_id',
  'bad_client_secret',
  'bad_client_id',
  'unknown_client',
  'deleted_client',
  'disabled_client',
]);

/** Codes of faults that pass. RFC 6749, section 4.1.2.1, and Slack. */
const PASSING = new Set([
  'temporarily_unavailable',
  'server_error',
  'internal_error',
  'internal_server_error',
  'unknown_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'timeout',
  'slow_down',
  'ratelimited',
  'rate_limited',
  'rate_limit_exceeded',
  'too_many_requests',
]);

/** HTTP statuses of faults that pass, besides 5xx: Request Timeout, Too Early, Too Many Requests. */
const PASSING_STATUSES = new Set([408, 425, 429]);

const SUBJECT = '(?:refresh[ _-]?token|grant(?![ _-]?type))';
const DEAD =
  '(?:invalid|expired|revoked|inactive|unknown|reused|already used|already been used|not (?:be )?found|not valid|' +
  "not active|no longer|does not exist|doesn't exist)";
/** A request that lacks something, or a server that does not support it, says nothing about the token. */
const ABOUT_REQUEST = /\bmissing\b|\brequired\b|\bunsupported\b|\bnot (?:supported|allowed|permitted)\b/i;
const DEAD_TEXTS = [
  new RegExp(`\\b${SUBJECT}\\b[^.]{0,60}\\b${DEAD}\\b`, 'i'),
  new RegExp(`\\b${DEAD}\\b[^.]{0,20}\\b${SUBJECT}\\b`, 'i'),
  /^\W*(?:invalid|expired|revoked) token\W*$/i,
  /^\W*token (?:has been|has|is|was) (?:already )?(?:invalid|expired|revoked)\b/i,
];

/** Longer texts are pages. */
const MAX_TEXT = OUTBOUND_LIMITS.refusalText.value;

/**
 * Decides what an answer without a token means. The server's own words come first, because many servers choose the
 * status freely: GitHub and Slack refuse with 200, Auth0 and Atlassian with 403.
 */
export function readRefusal({ status, fields, isPage }: TokenlessAnswer): Refusal {
  const codes = listCodes(fields);
  const refusal = (failure: TokenEndpointFailure): Refusal => ({
    failure,
    code: codes[0] ?? '',
    description: findText(fields),
  });
  if (PASSING_STATUSES.has(status)) return refusal('unavailable');
  const isDead = codes.some((code) => DEAD_GRANT.has(code));
  // A server that fails may say anything. Only if it says so again and again is it believed.
  if (status >= 500) return refusal(isDead ? 'refused' : 'unavailable');
  if (isDead || listTexts(fields).some(saysDead)) return refusal('invalid_grant');
  if (codes.some((code) => PASSING.has(code))) return refusal('unavailable');
  if (codes.some((code) => BAD_CLIENT.has(code))) return refusal('invalid_client');
  // RFC 6749, section 5.2: 401 means that the client could not be authenticated.
  if (status === 401) return refusal('invalid_client');
  // A firewall or a proxy between here and there answers with a page. It does not know the token.
  if (isPage && status >= 402) return refusal('unavailable');
  if (status >= 400 || saysError(fields)) return refusal('refused');
  return refusal('malformed');
}

/** Whether an answer with a success status reports an error: in `error`, or as Slack does with `ok: false`. */
export function saysError(fields: Fields | undefined): boolean {
  if (fields === undefined) return false;
  const { error, ok } = fields;
  return ok === false || (typeof error === 'string' && error !== '') || (typeof error === 'object' && error !== null);
}

/** The objects that describe the error: the answer itself, and the nested ones that some servers use. */
function listPlaces(fields: Fields | undefined): Fields[] {
  if (fields === undefined) return [];
  const { error, errors } = fields;
  return [fields, error, ...(Array.isArray(errors) ? errors.slice(0, 5) : [])].filter(isFields);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listCodes(fields: Fields | undefined): string[] {
  return listPlaces(fields)
    .flatMap((each) => [
      each['error'],
      each['code'],
      each['errorCode'],
      each['error_code'],
      each['type'],
      each['status'],
    ])
    .filter(isShortText)
    .map((code) =>
      code
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '_')
        .replace(/^_+|_+$/g, ''),
    )
    .filter((code) => code !== '');
}

const TEXT_FIELDS = ['error_description', 'errorDescription', 'message', 'errorSummary', 'detail', 'reason', 'error'];

function listTexts(fields: Fields | undefined): string[] {
  return listPlaces(fields)
    .flatMap((each) => TEXT_FIELDS.map((name) => each[name]))
    .filter(isShortText);
}

/** The explanation for people: the first text that is not just a code. */
function findText(fields: Fields | undefined): unknown {
  const { error_description: described } = fields ?? {};
  return described ?? listTexts(fields).find((text) => /\s/.test(text.trim()));
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT;
}

function saysDead(text: string): boolean {
  return !ABOUT_REQUEST.test(text) && DEAD_TEXTS.some((pattern) => pattern.test(text));
}
