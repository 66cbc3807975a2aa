import { Issues } from '../../validation/issues.ts';
import { checkUrl, type IsAllowedPrivateHost } from '../../validation/url.ts';

/**
 * What a URL from outside has to be, for an admin. One text for all that can be wrong: the texts of `checkUrl` repeat
 * parts of the URL.
 */
export const URL_RULE =
  'It must be https (http only for hosts in GATEHOUSE_ALLOWED_PRIVATE_CIDRS), without user info and ' +
  'fragment, at most 2,048 characters.';

/**
 * Whether the gateway, or a browser, may be sent to a URL that another server gave: as an admin's own URL
 * (`checkUrl`), in ASCII as RFC 3986 has it, so that it reads as what it is, and by http only where the operator says
 * so: a stranger's document must not lead to what listens on the reader's own machine.
 */
export function isUsableUrl(text: string, isAllowedPrivateHost: IsAllowedPrivateHost): boolean {
  if (!/^[\x21-\x7e]+$/.test(text)) return false;
  const issues = new Issues();
  checkUrl(issues, [], text, isAllowedPrivateHost);
  return !issues.has() && (!/^http:/i.test(text) || isAllowedPrivateHost(new URL(text)));
}

/**
 * Whether a text may be a resource or issuer identifier: a usable URL whose path is written as it is read. Identifiers
 * go on to others letter by letter, who may not see that `/other/../mcp` and `/mcp` are one.
 */
export function isUsableIdentifier(text: string, isAllowedPrivateHost: IsAllowedPrivateHost): boolean {
  if (!isUsableUrl(text, isAllowedPrivateHost)) return false;
  const [, writtenPath] = /^[^/]*\/\/[^/?#]*([^?#]*)/.exec(text) ?? [];
  return (writtenPath || '/') === new URL(text).pathname;
}
