const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';
const OAUTH_METADATA = '/.well-known/oauth-authorization-server';
const OPENID_METADATA = '/.well-known/openid-configuration';

/**
 * The URLs of an MCP server's protected resource metadata, in the order they are tried: before the server's path and
 * query (RFC 9728, section 3.1), then without them (MCP's extension). A server at the root has only one.
 */
export function listResourceMetadataUrls(serverUrl: string): string[] {
  const { origin, pathname, search } = new URL(serverUrl);
  // Only a slash directly after the host is removed; "/mcp/" and "/mcp" are different resources.
  const path = pathname === '/' ? '' : pathname;
  return [...new Set([`${origin}${RESOURCE_METADATA}${path}${search}`, `${origin}${RESOURCE_METADATA}`])];
}

/**
 * The URLs of an authorization server's metadata, in the order defined by MCP: as in RFC 8414, section 3.1, as in its
 * section 5 for OpenID, and after the path as in OpenID Connect Discovery 1.0, section 4.
 *
 * @param issuer a URL without query and fragment
 */
export function listIssuerMetadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  if (path === '') return [`${origin}${OAUTH_METADATA}`, `${origin}${OPENID_METADATA}`];
  return [
    `${origin}${OAUTH_METADATA}${path}`,
    `${origin}${OPENID_METADATA}${path}`,
    `${origin}${path}${OPENID_METADATA}`,
  ];
}
