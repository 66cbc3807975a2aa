import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpServerConfigRecord, OAuthDiscoveryRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { OAuthProvider } from '../oauth/oauth-provider.ts';
import type { ClientRenewal } from './client-renewal.ts';
import { isUsableClient } from './oauth-setup.ts';

/**
 * How long a process may hold the registration lease: for a request to the token endpoint with each method, and one or two
 * to the registration endpoint. Each answers within 10 s or not at all.
 */
const LEASE_MS = 45_000;
const MAX_WAIT_MS = 12_000;
const POLL_MS = 50;

/** Keeps the gateway's registered clients usable. */
export type OAuthClients = ReturnType<typeof createOAuthClients>;

/** Creates the client service. */
export function createOAuthClients(options: {
  store: Store;
  renewal: ClientRenewal;
  now: () => Date;
  maxWaitMs?: number;
}) {
  const { store, renewal, now, maxWaitMs = MAX_WAIT_MS } = options;

  const isInOrder = (discovery: OAuthDiscoveryRecord): boolean =>
    discovery.clientMode !== 'registered' || isUsableClient(discovery, now());

  /** @returns false when there is nothing to wait for: the authorization server did not answer */
  const repair = async (configId: string, leaseId: string): Promise<boolean> => {
    try {
      // The previous lease holder may have just registered.
      const latest = await store.oauthDiscoveries.find(SYSTEM, { configId });
      if (latest === null || isInOrder(latest)) return true;
      return await renewal.run(await reload(store, configId), latest, leaseId);
    } finally {
      await store.oauthDiscoveries.releaseRegistrationLease(SYSTEM, { configId, leaseId });
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
        if (discovery === null) return config;
        // Reload: another process may have registered since the config was read.
        if (isInOrder(discovery)) return reload(store, configId);
        const leaseId = randomUUID();
        if (await store.oauthDiscoveries.takeRegistrationLease(SYSTEM, { configId, leaseId, leaseMs: LEASE_MS })) {
          if (!(await repair(configId, leaseId))) return reload(store, configId);
        } else if (performance.now() > deadline) {
          const message = 'The gateway is being registered at the authorization server; try again in a moment.';
          throw new DomainError('UPSTREAM_FAILED', message, { step: 'client_registration' });
        } else {
          await sleep(POLL_MS);
        }
      }
    },

    /**
     * Records that the authorization server did not accept the client. The next connect asks it again, and registers a
     * new client if it still does not. Tokens of other users stay with the client they were issued to.
     */
    async suspect({ configId, client, clientSource }: OAuthProvider): Promise<void> {
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
