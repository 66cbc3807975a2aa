import { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { notFound, versionMismatch } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { HttpHeader } from '../configs/config-input.ts';
import type { AccessTokenArgs, AccessTokenResult } from './access-tokens.ts';
import type { ServerSecrets } from './server-secrets.ts';

/**
 * The headers with a user's credentials for a server, or why there are none. Send them to `url` and nowhere else: it may be
 * another one than a moment ago. `version` and `tokenId` are those of the access token.
 */
export type ServerHeadersResult =
  | { state: 'ready'; headers: readonly HttpHeader[]; url: string; version?: number; tokenId?: string }
  | Exclude<AccessTokenResult, { state: 'ready' }>;

/** The user and the server. */
export interface ServerHeadersArgs extends AccessTokenArgs {
  /** The version of the config whose URL the headers are for. */
  configVersion?: number | undefined;
}

/** The service that collects headers. */
export type ServerHeaders = ReturnType<typeof createServerHeaders>;

/** Creates the service that collects everything a request to a server must carry, whatever its auth type. */
export function createServerHeaders(options: {
  store: Store;
  secrets: Pick<ServerSecrets, 'open'>;
  accessTokens: { get(args: AccessTokenArgs): Promise<AccessTokenResult> };
}) {
  const { store, secrets, accessTokens } = options;

  /** From memory, if that has the version: what is opened is of this version, too. */
  const findConfig = async (id: string, version: number | undefined): Promise<McpServerConfigRecord | null> => {
    const known = version === undefined ? null : await store.configs.findById(SYSTEM, { id });
    return known !== null && known.version === version ? known : store.configs.findForConnection(SYSTEM, { id });
  };

  const openCustomHeaders = async (config: McpServerConfigRecord, url: string): Promise<HttpHeader[]> => {
    const stored = config.hasCustomHeaders
      ? await secrets.open(config.id, 'customHeaders', [url], config.version)
      : null;
    const values = stored === null ? {} : (JSON.parse(stored.expose()) as Record<string, string>);
    return Object.entries(values).map(([name, value]) => ({ name, value: new Secret(value) }));
  };

  return {
    /**
     * The headers for a call on behalf of a user. With OAuth 2 these are the access token and, beside it, the custom
     * headers, as some providers require (a project, a tenant).
     *
     * @throws NOT_FOUND, DECRYPTION_FAILED, VERSION_MISMATCH when the config changes meanwhile; as `AccessTokens.get`
     */
    async get({ configVersion, ...args }: ServerHeadersArgs): Promise<ServerHeadersResult> {
      const config = await findConfig(args.configId, configVersion);
      if (config === null) throw notFound('MCP server config');
      if (configVersion !== undefined && config.version !== configVersion) throw versionMismatch(config.version);
      if (!config.enabled) return { state: 'disabled' };
      const { url } = config;
      if (config.authType === 'none') return { state: 'ready', headers: [], url };
      if (config.authType === 'custom_headers') {
        return { state: 'ready', headers: await openCustomHeaders(config, url), url };
      }
      if (config.authType === 'api_key') {
        const value = await secrets.open(config.id, 'apiKeyValue', [url], config.version);
        if (value === null) throw new Error('a config with an API key has none');
        return { state: 'ready', headers: [{ name: config.apiKeyHeader, value }], url };
      }
      const token = await accessTokens.get(args);
      if (token.state !== 'ready') return token;
      // Stored under another auth type, they may contain a header that now has the token.
      const custom = (await openCustomHeaders(config, token.url)).filter(
        ({ name }) => name.toLowerCase() !== 'authorization',
      );
      const authorization = { name: 'Authorization', value: new Secret(`Bearer ${token.accessToken.expose()}`) };
      const { url: tokenUrl, version, tokenId } = token;
      return { state: 'ready', headers: [authorization, ...custom], url: tokenUrl, version, tokenId };
    },
  };
}
