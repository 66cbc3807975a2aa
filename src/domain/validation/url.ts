import ipaddr from 'ipaddr.js';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import type { Issues } from './issues.ts';

/** The maximum length of a URL that an admin enters, in characters. */
export const MAX_URL_LENGTH = FIELD_LIMITS.url.value;

/** Which hosts, besides loopback, may be reached without TLS. */
export type IsAllowedPrivateHost = (url: URL) => boolean;

/** Looks up the hosts of URLs, before `IsAllowedPrivateHost` is asked about them. Never rejects. */
export type ResolveHosts = (urls: Iterable<string>) => Promise<void>;

/**
 * Reports problems with a URL that the gateway or a browser will open. Allowed are `https:`, and `http:` to loopback
 * and allowed private hosts; no user info and no fragment.
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
  // The URL parser removes line breaks and tabs and turns "\" into "/". Refuse text that it would repair.
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
    issues.add(path, 'INVALID_URL', `Its host would be read as ${url.host}: write it that way, or correct it.`);
    return;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    issues.add(path, 'URL_NOT_HTTPS', 'Must start with https://.');
  } else if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && !isAllowedPrivateHost(url)) {
    const message =
      'Must start with https://. For a host in a private network, its operator can allow http by adding ' +
      `${url.hostname}:${url.port || '80'} to GATEHOUSE_ALLOWED_PRIVATE_CIDRS.`;
    issues.add(path, 'URL_NOT_HTTPS', message);
  }
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) {
    issues.add(path, 'URL_HAS_USER_INFO', 'Must not contain a user name or password; use the credential fields.');
  }
  if (text.includes('#')) issues.add(path, 'URL_HAS_FRAGMENT', 'Must not have a fragment (the part from "#").');
}

/**
 * Whether host and port are spelled the way they are parsed: no disguised numbers, no repaired or dropped characters.
 */
function isSpelledAsRead(text: string, url: URL): boolean {
  const authority = /^[^/]*\/\/([^/?#]*)/.exec(text)?.[1] ?? '';
  const written = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  const port = url.protocol === 'https:' ? '443' : '80';
  return written === url.host || written === `${url.host}:${port}`;
}

/** Whether the host is this machine, by name or address. @param hostname in the form of `URL.hostname` */
export function isLoopbackHost(hostname: string): boolean {
  // Subdomains of localhost do not count: a resolver may ask other servers for them.
  if (hostname === 'localhost') return true;
  const address = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}
