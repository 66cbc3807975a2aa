const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';
const OAUTH_METADATA = '/.well-known/oauth-authorization-server';
const OPENID_METADATA = '/.well-known/openid-configuration';

/**
 * Where an MCP server may keep its protected resource metadata, in the order in which they are tried: in front of its
 * path and query (RFC 9728, section 3.1), then without them (MCP's extension). For a server at the root it is one place.
 */
export function listResourceMetadataUrls(serverUrl: string): string[] {
  const { origin, pathname, search } = new URL(serverUrl);
  // Only the slash right behind the host goes; "/mcp/" is another resource than "/mcp".
  const path = pathname === '/' ? '' : pathname;
  return [...new Set([`${origin}${RESOURCE_METADATA}${path}${search}`, `${origin}${RESOURCE_METADATA}`])];
}

/**
 * Where an authorization server may keep its metadata, in the order in which MCP has them tried: as RFC 8414, section
 * 3.1, says, as its section 5 says for OpenID, and, behind a path, as OpenID Connect Discovery 1.0, section 4, says.
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
