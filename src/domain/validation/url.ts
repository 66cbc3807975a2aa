import ipaddr from 'ipaddr.js';
import type { Issues } from './issues.ts';

/** At most this many characters in a URL that an admin gives. */
export const MAX_URL_LENGTH = 2_048;

/** Which hosts may be reached without TLS, beside loopback. */
export type IsAllowedPrivateHost = (url: URL) => boolean;

/**
 * Reports what is wrong with a URL that the gateway or a browser will be sent to.
 * `https:`, or `http:` to loopback and allowed private hosts; no user info, no fragment.
 */
export function checkUrl(
  issues: Issues,
  path: readonly (string | number)[],
  text: string,
  isAllowedPrivateHost: IsAllowedPrivateHost,
): void {
  if (text.length > MAX_URL_LENGTH) {
    issues.add(path, 'TOO_LONG', `Is longer than ${MAX_URL_LENGTH.toLocaleString('en')} characters.`);
    return;
  }
  // The URL parser removes line breaks and tabs and turns "\" into "/": what it would mend is refused.
  if (/[\s\\\p{Cc}]/u.test(text) || !text.isWellFormed() || !/^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(text)) {
    issues.add(path, 'INVALID_URL', 'Is not an absolute URL such as https://mcp.example.com/mcp.');
    return;
  }
  if (!URL.canParse(text)) {
    issues.add(path, 'INVALID_URL', 'Is not an absolute URL such as https://mcp.example.com/mcp.');
    return;
  }
  const url = new URL(text);
  if (!isSpelledAsRead(text, url)) {
    issues.add(path, 'INVALID_URL', `Its host would be read as ${url.host}: write it so, or correct it.`);
    return;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    issues.add(path, 'URL_NOT_HTTPS', 'Must start with https://.');
  } else if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && !isAllowedPrivateHost(url)) {
    issues.add(
      path,
      'URL_NOT_HTTPS',
      'Must start with https://; http:// is only for loopback and for hosts in GATEHOUSE_ALLOWED_PRIVATE_CIDRS.',
    );
  }
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) {
    issues.add(path, 'URL_HAS_USER_INFO', 'Must not carry a user name or password; use the fields for credentials.');
  }
  if (text.includes('#')) issues.add(path, 'URL_HAS_FRAGMENT', 'Must not have a fragment (the part from "#").');
}

/** Whether the host and port are written as they are read: no number in disguise, no character that is mended or dropped. */
function isSpelledAsRead(text: string, url: URL): boolean {
  const authority = /^[^/]*\/\/([^/?#]*)/.exec(text)?.[1] ?? '';
  const written = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  const port = url.protocol === 'https:' ? '443' : '80';
  return written === url.host || written === `${url.host}:${port}`;
}

/** Whether the host is this machine, by name or address. @param hostname as `URL.hostname` gives it */
export function isLoopbackHost(hostname: string): boolean {
  // Not the names under it: a resolver may ask others for them.
  if (hostname === 'localhost') return true;
  const address = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}
