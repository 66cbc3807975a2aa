import { OUTBOUND_LIMITS } from '../../../limits/outbound-limits.ts';

/** RFC 6749, section 3.3, with the same length limit as scopes from an admin. */
const TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/** No real request needs more. A hostile document could list thousands. */
const MAX_TOKENS = OUTBOUND_LIMITS.tokenList.value;

/** RFC 6749, section 3.3, and OpenID Connect Core 1.0, section 11: the scope that asks for a refresh token. */
const OFFLINE_ACCESS = 'offline_access';

/** The valid scope tokens in an untrusted list: the first 100, without duplicates. */
export function toTokenList(names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => TOKEN.test(name)))].slice(0, MAX_TOKENS);
}

/** The scopes in a `scope` value of RFC 6749, section 3.3. */
export function splitScopes(text: string): string[] {
  return toTokenList(text.split(' '));
}

/**
 * Chooses the scopes to request: those of the challenge, otherwise those that the MCP server lists, otherwise none.
 * `offline_access` is added when there are scopes and the authorization server lists it, so that the connection lasts.
 */
export function selectScopes(offered: {
  challenge: readonly string[];
  resource: readonly string[];
  /** `scopes_supported` of the authorization server, unchanged. */
  supported: readonly string[];
}): string[] {
  const { challenge, resource, supported } = offered;
  const scopes = toTokenList(challenge.length > 0 ? challenge : resource);
  if (scopes.length === 0 || scopes.includes(OFFLINE_ACCESS) || !supported.includes(OFFLINE_ACCESS)) return scopes;
  return [...scopes.slice(0, MAX_TOKENS - 1), OFFLINE_ACCESS];
}
