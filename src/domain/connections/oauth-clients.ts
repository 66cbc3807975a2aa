import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpServerConfigRecord, OAuthDiscoveryRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import { ClientRegistrationError } from '../oauth/discovery/client-registration.ts';
import type { OAuthProvider } from '../oauth/oauth-provider.ts';
import { isUsableClient, type OAuthSetup } from './oauth-setup.ts';

/** How long a process may hold the registration lease. A registration endpoint answers within 10 s or not at all. */
const LEASE_MS = 20_000;
const MAX_WAIT_MS = 12_000;
const POLL_MS = 50;

/** Keeps the gateway's registered clients usable. */
export type OAuthClients = ReturnType<typeof createOAuthClients>;

/** Creates the client service. */
export function createOAuthClients(options: {
  store: Store;
  setup: Pick<OAuthSetup, 'register'>;
  now: () => Date;
  maxWaitMs?: number;
}) {
  const { store, setup, now, maxWaitMs = MAX_WAIT_MS } = options;

  const isInOrder = (discovery: OAuthDiscoveryRecord): boolean =>
    discovery.clientMode !== 'registered' || isUsableClient(discovery, now());

  const renew = async (
    config: McpServerConfigRecord,
    discovery: OAuthDiscoveryRecord,
    leaseId: string,
  ): Promise<void> => {
    const configId = config.id;
    try {
      const client = await setup.register(configId, {
        registrationEndpoint: discovery.registrationUrl,
        tokenAuthMethods: discovery.tokenAuthMethods,
        scopes: config.oauth2Scopes,
      });
      await store.transaction(async (tx) => {
        const isSaved = await tx.oauthDiscoveries.saveClient(SYSTEM, {
          configId,
          leaseId,
          client: {
            clientId: client.clientId,
            clientSecret: client.clientSecret?.expose() ?? null,
            clientAuthMethod: client.tokenAuthMethod,
            clientSecretExpiresAt: client.secretExpiresAt,
          },
        });
        if (!isSaved) return;
        await tx.audit.append(SYSTEM, {
          actor: SYSTEM,
          action: 'mcpServerConfig.update',
          target: toConfigTarget(config),
          changes: [
            { field: 'oauth2ClientId', before: config.oauth2ClientId, after: client.clientId },
            { field: 'oauth2ClientSecret', changed: true },
          ],
          reason: 'Registered again: the authorization server no longer knew the client, or its secret expired.',
        });
      });
    } catch (error) {
      await store.oauthDiscoveries.releaseRegistrationLease(SYSTEM, { configId, leaseId });
      if (!(error instanceof ClientRegistrationError)) throw error;
      throw new DomainError('UPSTREAM_FAILED', error.message, { step: 'client_registration' });
    }
  };

  return {
    /**
     * Returns the config with a client that its authorization server knows. Registers the client again when its secret
     * expired or the server forgot it, one caller at a time across all replicas.
     *
     * @throws UPSTREAM_FAILED when the registration fails
     */
    async ensureUsable(config: McpServerConfigRecord): Promise<McpServerConfigRecord> {
      const deadline = performance.now() + maxWaitMs;
      const configId = config.id;
      for (;;) {
        const discovery = await store.oauthDiscoveries.find(SYSTEM, { configId });
        if (discovery === null || isInOrder(discovery)) {
          // Reload: another process may have registered since the config was read.
          return discovery === null ? config : reload(store, configId);
        }
        const leaseId = randomUUID();
        if (await store.oauthDiscoveries.takeRegistrationLease(SYSTEM, { configId, leaseId, leaseMs: LEASE_MS })) {
          // The previous lease holder may have just registered.
          const latest = await store.oauthDiscoveries.find(SYSTEM, { configId });
          if (latest === null || isInOrder(latest))
            await store.oauthDiscoveries.releaseRegistrationLease(SYSTEM, { configId, leaseId });
          else await renew(await reload(store, configId), latest, leaseId);
        } else if (performance.now() > deadline) {
          const message = 'The gateway is being registered at the authorization server; try again in a moment.';
          throw new DomainError('UPSTREAM_FAILED', message, { step: 'client_registration' });
        } else {
          await sleep(POLL_MS);
        }
      }
    },

    /** Records that the authorization server does not know the client. The next connect registers it again. */
    async forget({ configId, client, clientSource }: OAuthProvider): Promise<void> {
      if (clientSource !== 'registered') return;
      await store.oauthDiscoveries.markClientUnknown(SYSTEM, { configId, clientId: client.clientId });
    },
  };
}

async function reload(store: Store, id: string): Promise<McpServerConfigRecord> {
  const config = await store.configs.findForConnection(SYSTEM, { id });
  if (config === null) throw notFound('MCP server config');
  return config;
}
