/** Where the routes about one config's connection are, below the public URL. */
const SERVERS_PATH = '/api/experimental/mcp/servers';

/** The gateway's own addresses in OAuth, for one config: all from the public URL, never from a request. */
export interface OAuthUrls {
  /** Where authorization servers send browsers back to. One for each config, so that their answers cannot be mixed up. */
  redirectUri(configId: string): string;
  /** The path of it: what the flow's cookie is limited to. */
  callbackPath(configId: string): string;
  /** The client id where the authorization server fetches it (Client ID Metadata Document). */
  clientMetadataUrl(configId: string): string;
}

/** @param publicUrl an origin, without a slash at the end */
export function createOAuthUrls(publicUrl: string): OAuthUrls {
  const callbackPath = (configId: string) => `${SERVERS_PATH}/${configId}/oauth2/callback`;
  return {
    callbackPath,
    redirectUri: (configId) => `${publicUrl}${callbackPath(configId)}`,
    clientMetadataUrl: (configId) => `${publicUrl}${SERVERS_PATH}/${configId}/oauth2/client.json`,
  };
}
