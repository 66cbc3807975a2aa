import { decodeJwt } from 'jose';
import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';

/** Ten years. Servers that send more mean "never". */
const MAX_LIFETIME_SECONDS = OUTBOUND_LIMITS.tokenLifetime.value;
const MAX_SCOPES_LENGTH = OUTBOUND_LIMITS.scopes.value;
/** RFC 6749, section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads `scope`: text with spaces between the scopes (RFC 6749, section 3.3), text with commas instead (GitHub, Slack),
 * or a list of texts.
 *
 * @returns undefined when it is absent: the server granted what was requested
 * @throws RangeError for text that cannot be scopes
 */
export function readScopes(value: unknown): string[] | undefined {
  const parts = Array.isArray(value) ? value : [value];
  const scopes = parts.flatMap((part) => (typeof part === 'string' ? splitScope(part) : []));
  if (scopes.length === 0) return undefined;
  if (scopes.join(' ').length > MAX_SCOPES_LENGTH || !scopes.every((scope) => SCOPE.test(scope))) {
    throw new RangeError('invalid scopes');
  }
  return [...new Set(scopes)];
}

function splitScope(text: string): string[] {
  const separator = text.trim().includes(' ') ? ' ' : /[ ,]/;
  return text.split(separator).filter((part) => part !== '');
}

/** Reads `expires_in`, as a number or as text. @returns whole seconds; undefined when it is absent or unusable */
export function readLifetime(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  if (!/^\d{1,15}(?:\.\d+)?$/.test(text)) return undefined;
  return toLifetime(Number(text));
}

/**
 * The lifetime of an access token that is a JWT, by its `exp`. The signature is not verified: the lifetime only decides
 * when to refresh, and the token is for the MCP server.
 *
 * @returns whole seconds; null when the token is no JWT, or does not say
 */
export function readJwtLifetime(token: string, now: Date): number | null {
  let claims: { exp?: unknown; iat?: unknown };
  try {
    claims = decodeJwt(token);
  } catch {
    return null;
  }
  const { exp, iat } = claims;
  if (typeof exp !== 'number') return null;
  const remaining = toLifetime(exp - now.getTime() / 1_000);
  // The issuer's clock may be far behind the gateway's.
  return remaining ?? (typeof iat === 'number' ? toLifetime(exp - iat) : undefined) ?? null;
}

/** A lifetime of 0 or less is not one: no server issues a token that has already expired. */
function toLifetime(seconds: number): number | undefined {
  return seconds >= 1 ? Math.min(Math.floor(seconds), MAX_LIFETIME_SECONDS) : undefined;
}
