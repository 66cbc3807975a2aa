import { isLoopbackHost } from '../../validation/url.ts';

/** What the gateway says of itself to an authorization server. */
export interface ClientDescription {
  /** Where users are sent back to, exactly. */
  redirectUri: string;
  /** What users see. */
  clientName: string;
  /** A page about the client. */
  clientUri: string;
}

/**
 * What a client asks for. MCP (2026-07-28, Refresh Tokens) wants the refresh grant named by who wants refresh tokens.
 */
export const CLIENT_GRANTS = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
} as const;

/**
 * The document that the gateway serves under a client id that is its URL (draft-ietf-oauth-client-id-metadata-document,
 * sections 3 and 4). It holds no secret and names no method that needs one: the draft forbids both.
 *
 * @param client.clientId the document's own URL, letter by letter as it is sent to authorization servers
 * @throws RangeError when a URL is no client id: ask `canUseMetadataDocument` first
 */
export function toClientMetadataDocument(client: ClientDescription & { clientId: string }): object {
  const { clientId, redirectUri, clientName, clientUri } = client;
  if (!isClientIdUrl(clientId)) throw new RangeError('A client id URL is https, with a path, and nothing beside.');
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
 * Whether an authorization server could fetch the gateway's document: it is served by https and not on the machine of
 * whoever reads.
 *
 * @param publicUrl the gateway's own
 */
export function canUseMetadataDocument(publicUrl: string): boolean {
  if (!URL.canParse(publicUrl)) return false;
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === 'https:' && !isLoopbackHost(hostname);
}

/** The draft's section 3; the path must be one, and be written as it is read: no "." and ".." in it. */
function isClientIdUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, host } = new URL(text);
  return protocol === 'https:' && pathname !== '/' && text === `https://${host}${pathname}`;
}
