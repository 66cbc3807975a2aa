import type { McpServerConfigRecord, OAuthDiscoveryRecord } from '../../data/records.ts';
import { toConnectionUrls } from '../../data/repositories/config-secrets.ts';
import type { FormerClientValues } from '../../data/repositories/former-client-repository.ts';
import type { Store } from '../../data/store.ts';
import { DomainError } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import { ClientRegistrationError } from '../oauth/discovery/client-registration.ts';
import type { TokenEndpoints } from '../oauth/token-endpoint.ts';
import { isUsableClient, type OAuthSetup } from './oauth-setup.ts';
import { assertUsableUrls, type ProviderSettings } from './provider-settings.ts';
import type { ServerSecrets } from './server-secrets.ts';

/** Replaces a registered client that its authorization server no longer accepts. */
export type ClientRenewal = ReturnType<typeof createClientRenewal>;

/** Creates the service. Its caller holds the registration lease. */
export function createClientRenewal(options: {
  store: Store;
  providers: ProviderSettings;
  secrets: Pick<ServerSecrets, 'open'>;
  setup: Pick<OAuthSetup, 'register'>;
  endpoints: Pick<TokenEndpoints, 'testClient'>;
  now: () => Date;
}) {
  const { store, providers, secrets, setup, endpoints, now } = options;

  /**
   * Whether the authorization server accepts the client. A client has many users, so the failure of one of them does not
   * replace it: the server is asked again.
   */
  const testClient = async (config: McpServerConfigRecord, discovery: OAuthDiscoveryRecord) => {
    const isExpired = !isUsableClient({ ...discovery, clientIsUnknown: false }, now());
    if (isExpired) return 'refused';
    try {
      const provider = await providers.load(config);
      return provider === null ? 'unknown' : await endpoints.testClient(provider);
    } catch (error) {
      // A client whose secret does not open cannot be used either.
      if (isNotOpened(error)) return 'refused';
      throw error;
    }
  };

  /** The client as it is kept for the tokens that were issued to it. Null when its secret does not open. */
  const findFormer = async (
    config: McpServerConfigRecord,
    discovery: OAuthDiscoveryRecord,
  ): Promise<FormerClientValues | null> => {
    const urls = toConnectionUrls(config);
    try {
      const clientSecret = config.hasOAuth2Secret ? await secrets.open(config.id, 'oauth2ClientSecret', urls) : null;
      return { clientId: config.oauth2ClientId, clientSecret, urls, clientAuthMethod: discovery.clientAuthMethod };
    } catch (error) {
      if (isNotOpened(error)) return null;
      throw error;
    }
  };

  const replace = async (
    config: McpServerConfigRecord,
    discovery: OAuthDiscoveryRecord,
    leaseId: string,
  ): Promise<void> => {
    const configId = config.id;
    const former = await findFormer(config, discovery);
    const client = await setup.register(configId, {
      registrationEndpoint: discovery.registrationUrl,
      tokenAuthMethods: discovery.tokenAuthMethods,
      scopes: config.oauth2Scopes,
    });
    await store.transaction(async (tx) => {
      const isSaved = await tx.oauthDiscoveries.saveClient(SYSTEM, {
        configId,
        leaseId,
        former,
        client: {
          clientId: client.clientId,
          clientSecret: client.clientSecret,
          urls: toConnectionUrls(config),
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
  };

  return {
    /**
     * Replaces the client if its secret expired, or if the authorization server still does not accept it.
     *
     * @returns whether the client is usable now. False when the server did not answer
     * @throws UPSTREAM_FAILED when the registration fails
     */
    async run(config: McpServerConfigRecord, discovery: OAuthDiscoveryRecord, leaseId: string): Promise<boolean> {
      assertUsableUrls(config);
      const outcome = await testClient(config, discovery);
      if (outcome === 'accepted') {
        await store.oauthDiscoveries.markClientKnown(SYSTEM, { configId: config.id, clientId: config.oauth2ClientId });
      }
      if (outcome !== 'refused') return outcome === 'accepted';
      try {
        await replace(config, discovery, leaseId);
        return true;
      } catch (error) {
        if (!(error instanceof ClientRegistrationError)) throw error;
        throw new DomainError('UPSTREAM_FAILED', error.message, { step: 'client_registration' });
      }
    },
  };
}

/** Not when the URLs were changed behind the gateway's back: a new secret would be bound to the wrong ones. */
function isNotOpened(error: unknown): boolean {
  return (
    error instanceof DomainError && error.code === 'DECRYPTION_FAILED' && error.details['reason'] !== 'DESTINATION'
  );
}
