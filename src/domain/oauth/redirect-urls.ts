import type { McpServerConfigRecord } from '../../data/records.ts';

/** The path prefix of the connection routes of a config, below the public URL. */
const SERVERS_PATH = '/api/experimental/mcp/servers';

/** The path of the callback that configs can share. */
export const SHARED_CALLBACK_PATH = '/api/experimental/mcp/oauth2/callback';

/** What decides about the redirect URI of a config. */
export type CallbackChoice = Pick<McpServerConfigRecord, 'id' | 'oauth2CallbackMode'>;

/** The gateway's own OAuth URLs for a config. They are built from the public URL, never from a request. */
export interface OAuthUrls {
  /**
   * The redirect URI of a config. By default each has its own, so that the responses of servers cannot be mixed up (RFC
   * 9700, section 4.4.2). Only a config whose client an admin registered by hand can use the shared one.
   */
  redirectUri(config: CallbackChoice): string;
  /** The redirect URI of the deployment, which is known before a config exists. */
  sharedRedirectUri: string;
  /** The path of the redirect URI. The flow's cookie is limited to it. */
  callbackPath(config: CallbackChoice): string;
  /** The client id URL where authorization servers fetch the metadata (Client ID Metadata Document). */
  clientMetadataUrl(configId: string): string;
}

/** Creates the URL builder. @param publicUrl an origin, without a slash at the end */
export function createOAuthUrls(publicUrl: string): OAuthUrls {
  const callbackPath = ({ id, oauth2CallbackMode: mode }: CallbackChoice) =>
    mode === 'shared' ? SHARED_CALLBACK_PATH : `${SERVERS_PATH}/${id}/oauth2/callback`;
  return {
    callbackPath,
    redirectUri: (config) => `${publicUrl}${callbackPath(config)}`,
    sharedRedirectUri: `${publicUrl}${SHARED_CALLBACK_PATH}`,
    clientMetadataUrl: (configId) => `${publicUrl}${SERVERS_PATH}/${configId}/oauth2/client.json`,
  };
}

/** A gateway that registers itself uses the config's own redirect URI. */
export function toOwnCallback(configId: string): CallbackChoice {
  return { id: configId, oauth2CallbackMode: 'own' };
}
