import { OutboundError } from '../../outbound/outbound-error.ts';
import { TokenEndpointError, toHarmlessLine } from './token-endpoint-error.ts';

/** Longer tokens do not fit into the headers that servers accept. */
const MAX_TOKEN_LENGTH = 16_384;
const MAX_SCOPE_LENGTH = 16_384;
/** RFC 6750, section 2.1, and any other visible characters that a header can carry. */
const TOKEN = /^[\x21-\x7e]+$/;
/** RFC 6749, section 3.3, and the surrounding spaces that some servers add. */
const SCOPE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

const OUTBOUND_MESSAGES = {
  url: 'The URL of the token endpoint is not allowed.',
  address: 'The token endpoint is at an address that the gateway may not call.',
  timeout: 'The token endpoint did not answer in time.',
  connection: 'The token endpoint cannot be reached.',
  redirect: 'The token endpoint answered with a redirect.',
  encoding: 'The token endpoint answered with a content coding that was not requested.',
  size: "The token endpoint's response is too large.",
} as const satisfies Record<OutboundError['failure'], string>;

const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Returns a successful response; the library validates its content. Unused fields are removed: an ID token would have
 * to be verified, and nothing here needs one.
 *
 * @throws TokenEndpointError
 */
export async function assertTokenAnswer(response: Response): Promise<Response> {
  const body = parseObject(await response.text());
  if (response.status !== 200) throw toRefusal(response, body);
  if (body === undefined || !isJson(response)) {
    throw new TokenEndpointError('malformed', 'The token endpoint did not answer with JSON.');
  }
  if (typeof body['error'] === 'string') {
    const description = toHarmlessLine(body['error_description']);
    throw new TokenEndpointError('refused', 'The token endpoint answered with an error.', { description });
  }
  for (const name of ['access_token', 'refresh_token']) assertToken(body, name);
  const { scope, token_type: tokenType } = body;
  if (typeof scope === 'string' && (scope.length > MAX_SCOPE_LENGTH || !SCOPE.test(scope))) {
    throw new TokenEndpointError('malformed', "The token endpoint's response contains invalid scopes.");
  }
  // A token that is bound to a key cannot be used, because the gateway has no such key.
  if (typeof tokenType === 'string' && tokenType.toLowerCase() !== 'bearer') {
    throw new TokenEndpointError('malformed', 'The token endpoint issued a token that is not of type Bearer.');
  }
  const { id_token: _unused, ...rest } = body;
  return Response.json(rest);
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

function toRefusal(response: Response, body: Record<string, unknown> | undefined): TokenEndpointError {
  const { status } = response;
  const description = toHarmlessLine(body?.['error_description']);
  const message = `The token endpoint answered ${status}.`;
  if (status === 429 || status >= 500) {
    return new TokenEndpointError('unavailable', message, { description, retryAfterMs: readRetryAfter(response) });
  }
  const code = body?.['error'];
  if (status === 400 && code === 'invalid_grant')
    return new TokenEndpointError('invalid_grant', message, { description });
  // RFC 6749, section 5.2: 401 means that the client could not be authenticated, whatever the body says.
  if (status === 401 || (status === 400 && code === 'invalid_client')) {
    return new TokenEndpointError('invalid_client', message, { description });
  }
  return new TokenEndpointError('refused', message, { description });
}

/** RFC 9110, section 10.2.3, in seconds. Dates are ignored, because they would depend on another clock. */
function readRetryAfter(response: Response): number | undefined {
  const seconds = response.headers.get('retry-after');
  if (seconds === null || !/^\d{1,9}$/.test(seconds)) return undefined;
  return Math.min(Number(seconds) * 1_000, MAX_RETRY_AFTER_MS);
}

function assertToken(body: Record<string, unknown>, name: string): void {
  const token = body[name];
  if (token === undefined || token === null) {
    // Some servers send null for an absent field.
    delete body[name];
    return;
  }
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) {
    throw new TokenEndpointError('malformed', 'The token from the token endpoint cannot be sent in a header.');
  }
}

function isJson(response: Response): boolean {
  return /^application\/json\s*(?:;|$)/i.test(response.headers.get('content-type') ?? '');
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}
