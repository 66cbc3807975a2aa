import type { McpServerConfigRecord } from '../../data/records.ts';
import type { ConnectionScope } from '../../data/repositories/connection-repository.ts';
import type { UserTokenRecord } from '../../data/repositories/user-token-repository.ts';
import type { Repositories } from '../../data/store.ts';
import { DomainError, type ErrorCode } from '../../errors.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import type { OAuthProvider } from '../oauth/oauth-provider.ts';
import type { ProviderSettings } from './provider-settings.ts';
import type { TokenRevocation } from './token-revocation.ts';

/** Removed tokens, and their config at that moment. */
export interface EndedConnections {
  config: McpServerConfigRecord;
  tokens: UserTokenRecord[];
}

/** Why the settings of a config cannot be used. */
const UNUSABLE: readonly ErrorCode[] = ['DECRYPTION_FAILED', 'VALIDATION_FAILED', 'VERSION_MISMATCH', 'NOT_FOUND'];

/** Ends connections: removes them with their data, and then revokes the tokens. */
export type ConnectionEndings = ReturnType<typeof createConnectionEndings>;

/** Creates the service. Every connection ends through here, except when its authorization server ends it. */
export function createConnectionEndings(options: { providers: ProviderSettings; revocation: TokenRevocation }) {
  const { providers, revocation } = options;

  /** The current provider. Null when the config has none, or when its secret does not open. */
  const loadProvider = async (config: McpServerConfigRecord | null): Promise<OAuthProvider | null> => {
    if (config === null) return null;
    try {
      return await providers.load(config);
    } catch (error) {
      // The secret does not open or has changed, or SQL changed a URL. A changed secret or URL belongs to a server that
      // must not receive these tokens.
      if (error instanceof DomainError && UNUSABLE.includes(error.code)) return null;
      throw error;
    }
  };

  return {
    loadProvider,

    /**
     * Removes the connections within the caller's transaction, which locks their configs. The tokens are later revoked
     * at the server that issued them, even if the settings change right after. Pass the result to `revokeAllLater`.
     */
    async remove(tx: Repositories, viewer: Viewer, scope: ConnectionScope): Promise<EndedConnections[]> {
      const ids = await tx.connections.listConfigIds(viewer, scope);
      const configs: McpServerConfigRecord[] = [];
      for (const id of ids) {
        const config = await tx.configs.hold(SYSTEM, { id });
        if (config !== null) configs.push(config);
      }
      const tokens = await tx.connections.remove(viewer, scope);
      return configs
        .map((config) => ({ config, tokens: tokens.filter(({ configId }) => configId === config.id) }))
        .filter((ended) => ended.tokens.length > 0);
    },

    /**
     * Revokes tokens of one config in the background.
     *
     * @param provider the provider that was in use with the tokens
     */
    revokeLater(provider: OAuthProvider | null, tokens: readonly UserTokenRecord[]): void {
      if (provider !== null && tokens.length > 0) revocation.revokeLater(provider, tokens);
    },

    /** Revokes tokens of several configs in the background. */
    async revokeAllLater(ended: readonly EndedConnections[]): Promise<void> {
      for (const { config, tokens } of ended) {
        const provider = await loadProvider(config);
        if (provider !== null) revocation.revokeLater(provider, tokens);
      }
    },

    /** Revokes the tokens of one connection and reports the outcome. */
    async revokeNow(config: McpServerConfigRecord, tokens: UserTokenRecord) {
      const provider = await loadProvider(config);
      if (provider !== null) return revocation.revoke(provider, tokens);
      const revocationError = 'The settings of the authorization server are unusable, so the token was not revoked.';
      return { tokenRevoked: false, revocationError };
    },
  };
}
