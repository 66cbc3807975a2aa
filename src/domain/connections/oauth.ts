import type { Store } from '../../data/store.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import type { Experiment } from '../experiments.ts';
import { createAdvertisedServers } from '../oauth/advertised-servers.ts';
import { createOAuthUrls } from '../oauth/redirect-urls.ts';
import { createTokenEndpoints } from '../oauth/token-endpoint.ts';
import type { IsAllowedPrivateHost } from '../validation/url.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createConnectionEndings } from './connection-endings.ts';
import { createConnectionFlow } from './connection-flow.ts';
import { createOAuthClients } from './oauth-clients.ts';
import { createOAuthSetup } from './oauth-setup.ts';
import { createProviderSettings } from './provider-settings.ts';
import type { ServerSecrets } from './server-secrets.ts';
import { createTokenRefresh } from './token-refresh.ts';
import { createTokenRevocation } from './token-revocation.ts';

/** Assembles everything that connects users with OAuth 2. All requests go out through the same `SafeFetch`. */
export function createOAuth(options: {
  store: Store;
  secrets: ServerSecrets;
  experiments: ReadonlySet<Experiment>;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  outbound: { fetch: SafeFetch };
  publicUrl: string;
  now: () => Date;
}) {
  const { store, secrets, experiments, isAllowedPrivateHost, outbound, publicUrl, now } = options;
  const { fetch } = outbound;
  const urls = createOAuthUrls(publicUrl);
  const endpoints = createTokenEndpoints(fetch);
  const revocation = createTokenRevocation({ endpoints });
  const findAdvertised = createAdvertisedServers({ fetch, isAllowedPrivateHost, now });
  const providers = createProviderSettings({ store, secrets, findAdvertised });
  const endings = createConnectionEndings({ providers, revocation });
  const setup = createOAuthSetup({ fetch, isAllowedPrivateHost, publicUrl, urls, now });
  const clients = createOAuthClients({ store, setup, now });
  const refresh = createTokenRefresh({ store, providers, secrets, endpoints, revocation, now });
  return {
    urls,
    setup,
    endings,
    revocation,
    accessTokens: createAccessTokens({ store, secrets, refresh, now }),
    flow: createConnectionFlow({
      store,
      experiments,
      providers,
      clients,
      endpoints,
      revocation,
      toRedirectUri: urls.redirectUri,
      now,
    }),
  };
}
