import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import { TokenEndpointError, toHarmlessLine } from './token-endpoint-error.ts';
import { readLifetime, readScopes } from './token-fields.ts';
import { readRefusal, saysError } from './token-refusal.ts';

/** Longer tokens do not fit into the headers that servers accept. */
const MAX_TOKEN_LENGTH = OUTBOUND_LIMITS.token.value;
/** RFC 6750, section 2.1, and any other visible characters that a header can carry. */
const TOKEN = /^[\x21-\x7e]+$/;

const OUTBOUND_MESSAGES = {
  url: 'The URL of the token endpoint is not allowed.',
  name: 'The name of the token endpoint does not resolve.',
  address: 'The token endpoint is at an address that the gateway may not call.',
  tls: 'The TLS connection to the token endpoint failed.',
  timeout: 'The token endpoint did not answer in time.',
  connection: 'The token endpoint cannot be reached.',
  redirect: 'The token endpoint answered with a redirect.',
  encoding: 'The token endpoint answered with a content coding that the gateway cannot read.',
  size: "The token endpoint's response is too large.",
} as const satisfies Record<OutboundError['failure'], string>;

const MAX_RETRY_AFTER_MS = OUTBOUND_LIMITS.retryAfter.value;

type Fields = Record<string, unknown>;

/**
 * Reads a token response as real servers send it: with any 2xx status and other media types, and with optional fields that
 * are null, empty or of another type, which count as absent. Returns it as RFC 6749, section 5.1, describes it; the
 * library validates it then. Unused fields are left out: an ID token would have to be verified, and nothing here needs
 * one.
 *
 * @throws TokenEndpointError
 */
export async function assertTokenAnswer(response: Response): Promise<Response> {
  const text = await response.text();
  const body = parseBody(text, response.headers.get('content-type') ?? '');
  if (!response.ok || saysError(body)) throw toError(response, body, text);
  if (body === undefined) throw new TokenEndpointError('malformed', 'The token endpoint did not answer with JSON.');
  const fields = unwrap(body);
  const refreshToken = readToken(fields, 'refresh_token');
  const scopes = readGrantedScopes(fields['scope']);
  const lifetime = readLifetime(fields['expires_in']);
  assertBearer(fields['token_type']);
  return Response.json({
    access_token: readToken(fields, 'access_token'),
    token_type: 'Bearer',
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    ...(scopes !== undefined && { scope: scopes.join(' ') }),
    ...(lifetime !== undefined && { expires_in: lifetime }),
  });
}

/**
 * Returns the response of a revocation endpoint if it confirms the revocation (RFC 7009, section 2.2). A server that
 * answers 202 has only accepted the request, so it confirms nothing.
 *
 * @throws TokenEndpointError
 */
export async function assertRevocationAnswer(response: Response): Promise<Response> {
  const text = await response.text();
  const body = parseBody(text, response.headers.get('content-type') ?? '');
  if (response.ok && response.status !== 202 && !saysError(body)) return Response.json({});
  throw toError(response, body, text);
}

/** Converts any error of a call to one that says what to do. Its message quotes nothing from the response. */
export function toTokenEndpointError(error: unknown): TokenEndpointError {
  if (error instanceof TokenEndpointError) return error;
  if (error instanceof OutboundError) {
    const failure = ['redirect', 'encoding', 'size'].includes(error.failure) ? 'malformed' : 'unavailable';
    // Not the error's own message: it names the host, which members must not see.
    return new TokenEndpointError(failure, OUTBOUND_MESSAGES[error.failure]);
  }
  // The library's errors keep the response in their cause, and the response may contain a token.
  return new TokenEndpointError('malformed', "The token endpoint's response is not valid OAuth 2.");
}

function toError(response: Response, fields: Fields | undefined, text: string): TokenEndpointError {
  const isPage = /^\s*</.test(text);
  const { failure, code, description } = readRefusal({ status: response.status, fields, isPage });
  const message = response.ok
    ? 'The token endpoint answered with an error.'
    : `The token endpoint answered ${response.status}.`;
  const retryAfterMs = failure === 'unavailable' ? readRetryAfter(response) : undefined;
  return new TokenEndpointError(failure, message, { code, description: toHarmlessLine(description), retryAfterMs });
}

/** RFC 9110, section 10.2.3, in seconds. Dates are ignored, because they would depend on another clock. */
function readRetryAfter(response: Response): number | undefined {
  const seconds = response.headers.get('retry-after');
  if (seconds === null || !/^\d{1,9}$/.test(seconds)) return undefined;
  return Math.min(Number(seconds) * 1_000, MAX_RETRY_AFTER_MS);
}

/**
 * Slack marks its answers with `ok`, puts a user's token into `authed_user`, beside a bot's token or none, and says in
 * `token_type` whose token it is.
 */
function unwrap(body: Fields): Fields {
  const { access_token: token, authed_user: user } = body;
  if (isAbsent(token) && typeof user === 'object' && user !== null && 'access_token' in user) {
    return withoutOwner({ ...user });
  }
  return body['ok'] === true ? withoutOwner(body) : body;
}

function withoutOwner(fields: Fields): Fields {
  const { token_type: type, ...others } = fields;
  return type === 'user' || type === 'bot' ? others : fields;
}

function readToken(fields: Fields, name: 'access_token' | 'refresh_token'): string | undefined {
  const token = fields[name];
  if (isAbsent(token)) return undefined;
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) {
    throw new TokenEndpointError('malformed', 'The token from the token endpoint cannot be sent in a header.');
  }
  return token;
}

function readGrantedScopes(scope: unknown): string[] | undefined {
  try {
    return readScopes(scope);
  } catch {
    throw new TokenEndpointError('malformed', "The token endpoint's response contains invalid scopes.");
  }
}

/** A token that is bound to a key cannot be used, because the gateway has no such key. */
function assertBearer(type: unknown): void {
  if (typeof type !== 'string' || type.trim() === '' || type.trim().toLowerCase() === 'bearer') return;
  throw new TokenEndpointError('malformed', 'The token endpoint issued a token that is not of type Bearer.');
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** The JSON object of an answer with any media type but that of a page: servers label JSON in many ways. */
function parseBody(text: string, contentType: string): Fields | undefined {
  if (/^text\/html\b/i.test(contentType)) return undefined;
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) return parseFormError(text);
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** Some servers ignore that JSON is asked for when they refuse. */
function parseFormError(text: string): Fields | undefined {
  const form = new URLSearchParams(text);
  return form.has('error') ? Object.fromEntries(form) : undefined;
}
