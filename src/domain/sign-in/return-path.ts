import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';

/** Where a browser goes without another wish. */
export const DEFAULT_RETURN_PATH = '/';

const MAX_LENGTH = CREDENTIAL_LIMITS.oidcReturnPath.value;
/** A host that cannot exist (RFC 2606): whatever leads elsewhere shows it. */
const BASE = 'http://gatehouse.invalid';
/** Sign-in pages themselves: returning there would go round in circles. */
const SIGN_IN = /^\/auth(?:\/|$)/i;

/**
 * Reads where the browser wants to return to after a sign-in: a path of the gateway with its query, as the URL parser
 * spells it. Anything else is `/`: a page of another site must not be able to send people away from here.
 */
export function parseReturnPath(text: string | undefined): string {
  if (text === undefined || text.length > MAX_LENGTH || !text.startsWith('/')) return DEFAULT_RETURN_PATH;
  // Browsers read "\" as "/", and drop line breaks and tabs.
  if (/[\\\s\p{C}]/u.test(text) || !URL.canParse(text, BASE)) return DEFAULT_RETURN_PATH;
  const url = new URL(text, BASE);
  const path = `${url.pathname}${url.search}`;
  // "/.//host" has the path "//host", and a proxy may decode "/%2fhost".
  const isElsewhere = url.origin !== BASE || /^\/(?:\/|%2f|%5c)/i.test(path);
  if (isElsewhere || SIGN_IN.test(url.pathname) || path.length > MAX_LENGTH) return DEFAULT_RETURN_PATH;
  return path;
}
