import { isLoopbackHost } from '../../validation/url.ts';

/** The gateway's description of itself for an authorization server. */
export interface ClientDescription {
  /** The exact redirect URI. */
  redirectUri: string;
  /** The name shown to users. */
  clientName: string;
  /** A web page about the client. */
  clientUri: string;
}

/**
 * The grants a client asks for. MCP (2026-07-28, Refresh Tokens) requires clients that want refresh tokens to name the
 * refresh grant.
 */
export const CLIENT_GRANTS = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
} as const;

/**
 * The document that the gateway serves at its client id URL (draft-ietf-oauth-client-id-metadata-document, sections 3
 * and 4). It contains no secret and names no method that needs one, because the draft forbids both.
 *
 * @param client.clientId the document's own URL, exactly as it is sent to authorization servers
 * @throws RangeError when the URL is not a valid client id; check `canUseMetadataDocument` first
 */
export function toClientMetadataDocument(client: ClientDescription & { clientId: string }): object {
  const { clientId, redirectUri, clientName, clientUri } = client;
  if (!isClientIdUrl(clientId))
    throw new RangeError('A client id URL must use https and have a path and nothing else.');
  return {
    client_id: clientId,
    client_name: clientName,
    client_uri: clientUri,
    redirect_uris: [redirectUri],
    ...CLIENT_GRANTS,
    token_endpoint_auth_method: 'none',
  };
}

/**
 * Whether an authorization server could fetch the gateway's document: it is served over https and not from loopback.
 *
 * @param publicUrl the gateway's public URL
 */
export function canUseMetadataDocument(publicUrl: string): boolean {
  if (!URL.canParse(publicUrl)) return false;
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === 'https:' && !isLoopbackHost(hostname);
}

/** The draft's section 3: there must be a path, without "." and ".." segments. */
function isClientIdUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, host } = new URL(text);
  return protocol === 'https:' && pathname !== '/' && text === `https://${host}${pathname}`;
}
