/** The path prefix of the connection routes of a config, below the public URL. */
const SERVERS_PATH = '/api/experimental/mcp/servers';

/** The gateway's own OAuth URLs for a config. They are built from the public URL, never from a request. */
export interface OAuthUrls {
  /** The redirect URI. Each config has its own, so that the responses of servers cannot be mixed up. */
  redirectUri(configId: string): string;
  /** The path of the redirect URI. The flow's cookie is limited to it. */
  callbackPath(configId: string): string;
  /** The client id URL where authorization servers fetch the metadata (Client ID Metadata Document). */
  clientMetadataUrl(configId: string): string;
}

/** Creates the URL builder. @param publicUrl an origin, without a slash at the end */
export function createOAuthUrls(publicUrl: string): OAuthUrls {
  const callbackPath = (configId: string) => `${SERVERS_PATH}/${configId}/oauth2/callback`;
  return {
    callbackPath,
    redirectUri: (configId) => `${publicUrl}${callbackPath(configId)}`,
    clientMetadataUrl: (configId) => `${publicUrl}${SERVERS_PATH}/${configId}/oauth2/client.json`,
  };
}
