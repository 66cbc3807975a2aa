import type { McpServerConfigRecord } from '../../data/records.ts';
import type { ConnectionScope } from '../../data/repositories/connection-repository.ts';
import type { UserTokenRecord } from '../../data/repositories/user-token-repository.ts';
import type { Repositories } from '../../data/store.ts';
import { DomainError } from '../../errors.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import type { OAuthProvider } from '../oauth/oauth-provider.ts';
import type { ProviderSettings } from './provider-settings.ts';
import type { TokenRevocation } from './token-revocation.ts';

/** Tokens that were removed, and the config as it was then. */
export interface EndedConnections {
  config: McpServerConfigRecord;
  tokens: UserTokenRecord[];
}

/** Ends connections: removes them with what belongs to them, and then has the tokens revoked. */
export type ConnectionEndings = ReturnType<typeof createConnectionEndings>;

/** Makes it: every way in which a connection ends, but for the authorization server's own, goes through here. */
export function createConnectionEndings(options: { providers: ProviderSettings; revocation: TokenRevocation }) {
  const { providers, revocation } = options;

  /** The provider as it is now; null when the config has none, or its secret does not open. */
  const loadProvider = async (config: McpServerConfigRecord | null): Promise<OAuthProvider | null> => {
    if (config === null) return null;
    try {
      return await providers.load(config);
    } catch (error) {
      // Its secret does not open, or is another one by now: of a server that has no business with these tokens.
      if (error instanceof DomainError && ['DECRYPTION_FAILED', 'VERSION_MISMATCH', 'NOT_FOUND'].includes(error.code))
        return null;
      throw error;
    }
  };

  return {
    loadProvider,

    /**
     * Removes the connections within the caller's transaction, which holds their configs: what is revoked later goes
     * where the tokens are of, whoever changes the settings right after. Give what it returns to `revokeAllLater`.
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
     * @param provider as it was when the tokens were in use
     */
    revokeLater(provider: OAuthProvider | null, tokens: readonly UserTokenRecord[]): void {
      if (provider !== null && tokens.length > 0) revocation.revokeLater(provider, tokens);
    },

    /** Revokes tokens of whichever configs in the background. */
    async revokeAllLater(ended: readonly EndedConnections[]): Promise<void> {
      for (const { config, tokens } of ended) {
        const provider = await loadProvider(config);
        if (provider !== null) revocation.revokeLater(provider, tokens);
      }
    },

    /** Revokes the tokens of one connection, and tells how that went. */
    async revokeNow(config: McpServerConfigRecord, tokens: UserTokenRecord) {
      const provider = await loadProvider(config);
      if (provider !== null) return revocation.revoke(provider, tokens);
      const revocationError = 'The settings of the authorization server cannot be used, so it could not be told.';
      return { tokenRevoked: false, revocationError };
    },
  };
}
