/** RFC 6749, section 3.3; bounded as the scopes are that an admin gives. */
const TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/** Nobody asks for more; a hostile document could list thousands. */
const MAX_TOKENS = 100;

/** RFC 6749, section 3.3, and OpenID Connect Core 1.0, section 11: the scope that asks for a refresh token. */
const OFFLINE_ACCESS = 'offline_access';

/** The names in a list from outside that are scope tokens: the first 100, without repetitions. */
export function toTokenList(names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => TOKEN.test(name)))].slice(0, MAX_TOKENS);
}

/** The scopes in a `scope` value of RFC 6749, section 3.3. */
export function splitScopes(text: string): string[] {
  return toTokenList(text.split(' '));
}

/**
 * Chooses the scopes to ask for: those of the challenge, else those that the MCP server lists, else none. When there
 * are some, and the authorization server lists `offline_access`, that is asked for too, so that a connection lasts.
 */
export function selectScopes(offered: {
  challenge: readonly string[];
  resource: readonly string[];
  /** `scopes_supported` of the authorization server, as it is. */
  supported: readonly string[];
}): string[] {
  const { challenge, resource, supported } = offered;
  const scopes = toTokenList(challenge.length > 0 ? challenge : resource);
  if (scopes.length === 0 || scopes.includes(OFFLINE_ACCESS) || !supported.includes(OFFLINE_ACCESS)) return scopes;
  return [...scopes.slice(0, MAX_TOKENS - 1), OFFLINE_ACCESS];
}
