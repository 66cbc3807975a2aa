/**
 * What went wrong at a token or revocation endpoint.
 *
 * - `invalid_grant`: 400 with this error; the grant is dead, whoever asks (RFC 6749, section 5.2).
 * - `invalid_client`: the server does not know the gateway's client, or not with these credentials.
 * - `refused`: another answer of the kind "no".
 * - `unavailable`: 429, 5xx, too late, not reachable, another address than allowed.
 * - `malformed`: an answer that is none of OAuth's.
 */
export type TokenEndpointFailure = 'invalid_grant' | 'invalid_client' | 'refused' | 'unavailable' | 'malformed';

/** More than this is no reason, it is a page. */
const MAX_DESCRIPTION = 300;

/** A token or revocation endpoint did not give what was asked for. The message is the gateway's own words. */
export class TokenEndpointError extends Error {
  override readonly name = 'TokenEndpointError';
  readonly failure: TokenEndpointFailure;
  /** The server's own explanation, made harmless: for a person, as text, and never to decide by. */
  readonly description: string | undefined;
  /** How long the server wants to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: TokenEndpointFailure,
    message: string,
    more: { description?: string | undefined; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.failure = failure;
    this.description = more.description;
    this.retryAfterMs = more.retryAfterMs;
  }

  /** The same without an explanation that repeats what was sent in confidence. */
  without(secrets: readonly string[]): TokenEndpointError {
    const { failure, message, description, retryAfterMs } = this;
    if (description === undefined || !secrets.some((secret) => description.includes(secret))) return this;
    return new TokenEndpointError(failure, message, { retryAfterMs });
  }
}

/**
 * Text of a provider as one short line without control characters, direction marks or leading and trailing space.
 * It still is not HTML: whoever shows it escapes it.
 */
export function toHarmlessLine(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const line = text
    .slice(0, 4 * MAX_DESCRIPTION)
    .toWellFormed()
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  if (line === '') return undefined;
  const characters = [...line];
  return characters.length > MAX_DESCRIPTION ? `${characters.slice(0, MAX_DESCRIPTION - 1).join('')}…` : line;
}
