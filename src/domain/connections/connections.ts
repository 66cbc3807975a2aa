import type { Caches } from '../../cache/caches.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { Store } from '../../data/store.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import type { Experiment } from '../experiments.ts';
import { createAdvertisedServers } from '../oauth/advertised-servers.ts';
import { createOAuthUrls } from '../oauth/redirect-urls.ts';
import { createTokenEndpoints } from '../oauth/token-endpoint.ts';
import type { UserRates } from '../shares/user-rates.ts';
import type { IsAllowedPrivateHost } from '../validation/url.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createClientRenewal } from './client-renewal.ts';
import { createConnectionEndings } from './connection-endings.ts';
import { createConnectionFlow } from './connection-flow.ts';
import { createConnectionList } from './connection-list.ts';
import { createConnectionService } from './connection-service.ts';
import { endExpiredConnections } from './expired-connections.ts';
import { createExpiryWatch } from './expiry-watch.ts';
import { createOAuthClients } from './oauth-clients.ts';
import { createOAuthSetup } from './oauth-setup.ts';
import { createProviderSettings } from './provider-settings.ts';
import { requireScopes, type StepUpResult } from './scope-step-up.ts';
import { createServerHeaders } from './server-headers.ts';
import { createServerMoves } from './server-moves.ts';
import { createServerSecrets } from './server-secrets.ts';
import { createTokenRefresh } from './token-refresh.ts';
import { createTokenRevocation } from './token-revocation.ts';

/**
 * Creates everything that connects users to servers. `services` is for callers. `internal` handles plain secrets and
 * tokens: it is for the gateway's own calls to servers and never reaches a caller.
 */
export function createConnections(options: {
  store: Store;
  keyring: Keyring;
  caches: Caches;
  experiments: ReadonlySet<Experiment>;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  outbound: { fetch: SafeFetch };
  publicUrl: string;
  userRates: Pick<UserRates, 'admitServerCheck'>;
  now: () => Date;
}) {
  const { store, keyring, caches, experiments, isAllowedPrivateHost, outbound, publicUrl, now } = options;
  const { fetch } = outbound;
  const secrets = createServerSecrets({ store, keyring, caches });
  const expiry = createExpiryWatch(now);
  const oauthUrls = createOAuthUrls(publicUrl);
  const endpoints = createTokenEndpoints({ fetch, caches, now });
  const revocation = createTokenRevocation({ endpoints });
  const findAdvertised = createAdvertisedServers({ fetch, isAllowedPrivateHost, caches, now });
  const providers = createProviderSettings({ store, secrets, findAdvertised });
  const endings = createConnectionEndings({ providers, revocation });
  const oauthSetup = createOAuthSetup({ fetch, isAllowedPrivateHost, publicUrl, urls: oauthUrls, now });
  const moves = createServerMoves({ store, setup: oauthSetup, endings, isAllowedPrivateHost, caches, now });
  const renewal = createClientRenewal({ store, providers, secrets, setup: oauthSetup, endpoints, now });
  const clients = createOAuthClients({ store, renewal, now });
  const refresh = createTokenRefresh({ store, providers, secrets, endpoints, revocation, clients, now });
  const accessTokens = createAccessTokens({ store, secrets, refresh, now });
  const service = createConnectionService({ store, experiments, secrets, endings, expiry });
  return {
    services: {
      connections: service,
      connectionList: createConnectionList({ store, experiments, connections: service }),
      connectionFlow: createConnectionFlow({
        store,
        experiments,
        providers,
        clients,
        moves,
        endpoints,
        revocation,
        urls: oauthUrls,
        userRates: options.userRates,
        now,
      }),
      oauthSetup,
      oauthUrls,
    },
    internal: {
      secrets,
      expiry,
      endings,
      accessTokens,
      serverHeaders: createServerHeaders({ store, secrets, accessTokens }),
      /** Call it when a server answers `insufficient_scope`. */
      requireScopes: (args: { userId: string; configId: string; scopes: readonly string[] }): Promise<StepUpResult> =>
        requireScopes(store, args),
      endExpired: (): Promise<number> => endExpiredConnections(store, now),
      /** Resolves when background work, such as the revocation of tokens, is finished. */
      settle: revocation.settle,
    },
  };
}
