import { originOf } from '../../crypto/origin.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord, OAuthDiscoveryRecord } from '../../data/records.ts';
import { toConnectionUrls } from '../../data/repositories/config-secrets.ts';
import type { Store } from '../../data/store.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { isMicrosoftHost } from '../oauth/microsoft-hosts.ts';
import {
  type FormerClient,
  type OAuthClient,
  type OAuthProvider,
  SECRET_METHODS,
  toRegisteredMethods,
} from '../oauth/oauth-provider.ts';
import { Issues } from '../validation/issues.ts';
import type { ServerSecrets } from './server-secrets.ts';

/** What an authorization server advertises. Used where an admin's settings leave it open. */
export interface AdvertisedServer {
  /** As the server writes it: the admin may have written a bare origin with or without its slash. */
  issuer: string;
  isIssParameterSupported: boolean;
  tokenAuthMethods: readonly string[];
  /** Empty when there is none. */
  revocationEndpoint: string;
}

/** Finds what an issuer advertises. Null when that is not available. Never rejects. */
export type FindAdvertised = (issuer: string) => Promise<AdvertisedServer | null>;

/** Loads the settings of configs' authorization servers. */
export type ProviderSettings = ReturnType<typeof createProviderSettings>;

/** Creates the loader. `findAdvertised` fills in what an admin's own settings leave open. */
export function createProviderSettings(options: {
  store: Store;
  secrets: ServerSecrets;
  findAdvertised: FindAdvertised;
}) {
  const { store, secrets, findAdvertised } = options;
  return {
    /**
     * Everything needed to connect, refresh and revoke.
     *
     * @returns null when the config does not use OAuth 2, or has no settings
     * @throws DECRYPTION_FAILED when the client secret does not open, or was sealed for other URLs; VALIDATION_FAILED when
     *   a URL is none
     */
    async load(config: McpServerConfigRecord): Promise<OAuthProvider | null> {
      if (config.authType !== 'oauth2' || config.oauth2AuthUrl === '' || config.oauth2TokenUrl === '') return null;
      assertUsableUrls(config);
      const discovery = await store.oauthDiscoveries.find(SYSTEM, { configId: config.id });
      const advertised =
        discovery === null && config.oauth2Issuer !== '' ? await findAdvertised(config.oauth2Issuer) : null;
      const secret = config.hasOAuth2Secret
        ? await secrets.open(config.id, 'oauth2ClientSecret', toConnectionUrls(config), config.version)
        : null;
      return {
        configId: config.id,
        issuer: advertised?.issuer ?? config.oauth2Issuer,
        isIssRequired: discovery?.issParameterSupported ?? advertised?.isIssParameterSupported ?? false,
        authUrl: config.oauth2AuthUrl,
        tokenUrl: config.oauth2TokenUrl,
        revocationUrl: toRevocationUrl(config, advertised),
        scopes: config.oauth2Scopes,
        resource: toResource(config, discovery),
        client: {
          clientId: config.oauth2ClientId,
          secret,
          ...(discovery === null
            ? toGivenMethods(secret, advertised?.tokenAuthMethods)
            : toRegisteredMethods(secret, discovery.clientAuthMethod)),
        },
        formerClients: discovery?.clientMode === 'registered' ? await listFormerClients(store, config.id) : [],
        clientSource: discovery?.clientMode ?? 'given',
      };
    },
  };
}

const USED_URLS = ['url', 'oauth2AuthUrl', 'oauth2TokenUrl', 'oauth2RevocationUrl'] as const;

/** The API accepts only URLs, but SQL writes anything. @throws VALIDATION_FAILED with all problems */
export function assertUsableUrls(config: McpServerConfigRecord): void {
  const issues = new Issues();
  for (const field of USED_URLS) {
    if (config[field] === '' || originOf(config[field]) !== undefined) continue;
    issues.add([field], 'INVALID_URL', 'Is stored, but is not a URL: an admin has to correct the server.');
  }
  issues.throwIfAny();
}

/** An advertised endpoint receives the client secret only if it has the same origin as the token endpoint. */
function toRevocationUrl(config: McpServerConfigRecord, advertised: AdvertisedServer | null): string {
  if (config.oauth2RevocationUrl !== '') return config.oauth2RevocationUrl;
  const url = advertised?.revocationEndpoint ?? '';
  return url !== '' && originOf(url) === originOf(config.oauth2TokenUrl) ? url : '';
}

/** The identifier exactly as the metadata has it; without metadata the server's URL (MCP, "Canonical Server URI"). */
function toResource(config: McpServerConfigRecord, discovery: OAuthDiscoveryRecord | null): string | null {
  const mode = config.oauth2ResourceMode;
  if (mode === 'omit') return null;
  if (mode === 'auto' && isMicrosoftHost(new URL(config.oauth2AuthUrl).hostname)) return null;
  // MCP 2025-03-26, which has no such metadata, has no such parameter either.
  if (mode === 'auto' && discovery?.resource === '') return null;
  return discovery?.resource || config.url;
}

/** How an admin's client authenticates, best first. If the server advertises nothing, both methods are tried. */
function toGivenMethods(
  secret: Secret | null,
  advertised: readonly string[] | undefined,
): Pick<OAuthClient, 'authMethods' | 'spareMethods'> {
  if (secret === null) return { authMethods: ['none'], spareMethods: [] };
  const usable = SECRET_METHODS.filter((method) => advertised?.includes(method) ?? true);
  const authMethods = usable.length > 0 ? usable : SECRET_METHODS;
  return { authMethods, spareMethods: SECRET_METHODS.filter((method) => !authMethods.includes(method)) };
}

async function listFormerClients(store: Store, configId: string): Promise<FormerClient[]> {
  const clients = await store.formerClients.list(SYSTEM, { configId });
  return clients.map(({ clientId, clientSecret: secret, clientAuthMethod: authMethod }) => ({
    clientId,
    secret,
    authMethod,
  }));
}
