/**
 * Whether two issuer identifiers name the same authorization server. They are compared letter by letter, but a bare origin
 * is the same with and without its slash: both have the same metadata URL (RFC 8414, section 3.1), and authorization
 * servers and the servers that name them often write it differently.
 *
 * Not for `iss` in an authorization response: RFC 9207, section 2.4, compares it with the text in the metadata.
 */
export function isSameIssuer(one: string, other: string): boolean {
  return one === other || (withoutRootSlash(one) === withoutRootSlash(other) && isBareOrigin(one));
}

function withoutRootSlash(issuer: string): string {
  return issuer.replace(/\/$/, '');
}

function isBareOrigin(issuer: string): boolean {
  return /^https?:\/\/[^/?#]+\/?$/.test(issuer);
}
