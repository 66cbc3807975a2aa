import { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { UpstreamHeader } from '../../mcp/upstream-target.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { ConfigDraft } from '../configs/config-draft.ts';
import type { ServerHeaders } from '../connections/server-headers.ts';
import type { ServerSecrets } from '../connections/server-secrets.ts';

/** Creates what opens the credentials that a test of a server may send. */
export function createTestCredentials(options: { secrets: Pick<ServerSecrets, 'open'>; serverHeaders: ServerHeaders }) {
  const { secrets, serverHeaders } = options;

  /** The config's own secret: the given one, or the stored one, which only goes to the origin that it is stored for. */
  const openSecret = async (draft: ConfigDraft, current: McpServerConfigRecord | null): Promise<UpstreamHeader[]> => {
    if (draft.authType === 'api_key') {
      const change = draft.apiKeyValue;
      if (change.kind === 'set') return [{ name: draft.apiKeyHeader, value: change.value }];
      const value =
        current === null ? null : await secrets.open(current.id, 'apiKeyValue', [draft.url], current.version);
      return value === null ? [] : [{ name: draft.apiKeyHeader, value }];
    }
    if (draft.authType === 'custom_headers') {
      const change = draft.customHeaders;
      if (change.kind === 'set') return change.value;
      const stored =
        current === null ? null : await secrets.open(current.id, 'customHeaders', [draft.url], current.version);
      const values = stored === null ? {} : (JSON.parse(stored.expose()) as Record<string, string>);
      return Object.entries(values).map(([name, value]) => ({ name, value: new Secret(value) }));
    }
    return [];
  };

  /** The admin's own connection. A string says why there is none. */
  const openOwn = async (viewer: Viewer, draft: ConfigDraft, current: McpServerConfigRecord | null) => {
    const userId = viewerUserId(viewer);
    if (draft.authType !== 'oauth2') return 'The server does not use OAuth 2.';
    if (current === null || current.authType !== 'oauth2')
      return 'The server is not stored with OAuth 2, so nobody is connected.';
    if (draft.url !== current.url) return 'The URL is not the stored one: your token is not sent there.';
    if (userId === undefined) return 'You are not a user.';
    const found = await serverHeaders.get({ userId, configId: current.id, configVersion: current.version });
    if (found.state === 'disabled') return 'The server is disabled: enable it, then connect.';
    if (found.state !== 'ready') return 'You are not connected: connect first.';
    if (found.url !== draft.url) return 'The URL is not the stored one: your token is not sent there.';
    return found.headers;
  };

  return { openSecret, openOwn };
}
