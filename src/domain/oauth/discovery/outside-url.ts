import { Issues } from '../../validation/issues.ts';
import { checkUrl, type IsAllowedPrivateHost } from '../../validation/url.ts';

/**
 * The rule for URLs from other servers, for an admin. One text covers all violations, because the messages of
 * `checkUrl` repeat parts of the URL.
 */
export const URL_RULE =
  'It must be https (http only for hosts in GATEHOUSE_ALLOWED_PRIVATE_CIDRS), without user info and ' +
  'fragment, at most 2,048 characters.';

/**
 * Whether the gateway or a browser may open a URL given by another server. It must follow the rules for an admin's URL
 * (`checkUrl`) and be ASCII as in RFC 3986, so that it cannot be disguised. http is allowed only for hosts that the
 * operator opened: an untrusted document must not lead to services on the reader's own machine.
 */
export function isUsableUrl(text: string, isAllowedPrivateHost: IsAllowedPrivateHost): boolean {
  if (!/^[\x21-\x7e]+$/.test(text)) return false;
  const issues = new Issues();
  checkUrl(issues, [], text, isAllowedPrivateHost);
  return !issues.has() && (!/^http:/i.test(text) || isAllowedPrivateHost(new URL(text)));
}

/**
 * Whether a text may be a resource or issuer identifier: a usable URL with a normalised path. Identifiers are passed on
 * unchanged to others, who may not notice that `/other/../mcp` and `/mcp` are the same.
 */
export function isUsableIdentifier(text: string, isAllowedPrivateHost: IsAllowedPrivateHost): boolean {
  if (!isUsableUrl(text, isAllowedPrivateHost)) return false;
  const [, writtenPath] = /^[^/]*\/\/[^/?#]*([^?#]*)/.exec(text) ?? [];
  return (writtenPath || '/') === new URL(text).pathname;
}
