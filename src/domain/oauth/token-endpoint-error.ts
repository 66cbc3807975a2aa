/**
 * The kind of failure at a token or revocation endpoint.
 *
 * - `invalid_grant`: the server says that the grant is dead, with this code or in other words (`token-refusal.ts`).
 * - `invalid_client`: the server does not know the gateway's client, or rejects its credentials.
 * - `refused`: any other refusal.
 * - `unavailable`: 429, 5xx, timeout, unreachable, or an address that is not allowed. It passes.
 * - `malformed`: the response is not valid OAuth.
 */
export type TokenEndpointFailure = 'invalid_grant' | 'invalid_client' | 'refused' | 'unavailable' | 'malformed';

/** A longer description would be a page, not a reason. */
const MAX_DESCRIPTION = 300;

/** A token or revocation request failed. The message is in the gateway's own words. */
export class TokenEndpointError extends Error {
  override readonly name = 'TokenEndpointError';
  readonly failure: TokenEndpointFailure;
  /** The server's error code in lower case, for decisions. Never shown. Empty when it gives none. */
  readonly code: string;
  /** The server's own explanation, sanitised. For display as text only, never for decisions. */
  readonly description: string | undefined;
  /** How long the server asks clients to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: TokenEndpointFailure,
    message: string,
    more: { code?: string; description?: string | undefined; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.failure = failure;
    this.code = more.code ?? '';
    this.description = more.description;
    this.retryAfterMs = more.retryAfterMs;
  }

  /** Returns the error without its description if that repeats a secret that was sent. */
  without(secrets: readonly string[]): TokenEndpointError {
    const { failure, code, message, description, retryAfterMs } = this;
    if (description === undefined || !secrets.some((secret) => description.includes(secret))) return this;
    return new TokenEndpointError(failure, message, { code, retryAfterMs });
  }
}

/**
 * Converts text from a provider to one short line without control characters, direction marks and surrounding space. It
 * is not HTML-escaped; callers must do that.
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
