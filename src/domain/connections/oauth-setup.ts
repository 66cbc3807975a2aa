import type { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord, McpTransport, OAuthDiscoveryRecord } from '../../data/records.ts';
import type { OAuthDiscoveryColumns } from '../../data/repositories/oauth-discovery-repository.ts';
import { DomainError } from '../../errors.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import { canUseMetadataDocument, toClientMetadataDocument } from '../oauth/discovery/client-metadata-document.ts';
import { ClientRegistrationError, registerClient } from '../oauth/discovery/client-registration.ts';
import { discoverProvider, findNamedIssuers } from '../oauth/discovery/discover-provider.ts';
import type { DiscoveredProvider, DiscoveryReport } from '../oauth/discovery/discovery-report.ts';
import { isSameIssuer } from '../oauth/discovery/issuer-identifier.ts';
import { type OAuthUrls, toOwnCallback } from '../oauth/redirect-urls.ts';
import type { IsAllowedPrivateHost } from '../validation/url.ts';

/** How the gateway would become a client of an authorization server. */
export type ClientMode = OAuthDiscoveryRecord['clientMode'];

/** The result of a dry run: the report, and how the gateway would become a client. */
export interface SetupReport extends DiscoveryReport {
  /** Null when an admin must register the gateway by hand. */
  clientMode: ClientMode | null;
}

/** A client that the gateway already has at an authorization server. */
export interface ExistingClient {
  issuer: string;
  clientId: string;
  discovery: OAuthDiscoveryRecord;
}

/** The settings that discovery and registration produce for a config. */
export interface OAuthSettings {
  oauth2ClientId: string;
  /** Undefined: the existing client's secret stays. */
  oauth2ClientSecret: Secret | null | undefined;
  oauth2AuthUrl: string;
  oauth2TokenUrl: string;
  oauth2RevocationUrl: string;
  oauth2Issuer: string;
  oauth2Scopes: string[];
  discovery: OAuthDiscoveryColumns;
}

/** The server, and what is already known about it. */
export interface SetupTarget {
  configId: string;
  url: string;
  transport: McpTransport;
  /** The scopes that the admin chose. Empty lets the servers decide. */
  scopes: readonly string[];
  existing?: ExistingClient | undefined;
  /** Only finds out whether it would work: nothing is registered, and the settings have no real client. */
  isDryRun?: boolean | undefined;
}

const CLIENT_NAME = 'Gatehouse';
const NO_CLIENT =
  'The authorization server accepts neither client id metadata documents from this gateway nor registrations (RFC 7591): register the gateway there by hand, then enter the client id, authorization URL and token URL.';

const ASSUMED =
  'The MCP server does not say how to get a token for it, so the default endpoints at its origin were tried. ';

/** Discovers how to connect users to a server, and makes the gateway a client of its authorization server. */
export type OAuthSetup = ReturnType<typeof createOAuthSetup>;

/** Creates the setup service. It stores nothing. */
export function createOAuthSetup(options: {
  fetch: SafeFetch;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  publicUrl: string;
  urls: OAuthUrls;
  now: () => Date;
}) {
  const { fetch, isAllowedPrivateHost, publicUrl, urls, now } = options;

  const discover = async (target: Omit<SetupTarget, 'configId' | 'existing'>): Promise<SetupReport> => {
    const { url, transport, scopes } = target;
    const report = await discoverProvider({
      fetch,
      isAllowedPrivateHost,
      serverUrl: url,
      transport,
      knownScopes: scopes,
    });
    const clientMode = report.provider === null ? null : toClientMode(report.provider, publicUrl);
    return { ...report, clientMode };
  };

  const register = async (
    configId: string,
    provider: Pick<DiscoveredProvider, 'registrationEndpoint' | 'tokenAuthMethods' | 'scopes'>,
  ) =>
    registerClient({
      fetch,
      registrationEndpoint: provider.registrationEndpoint,
      redirectUri: urls.redirectUri(toOwnCallback(configId)),
      clientName: CLIENT_NAME,
      clientUri: publicUrl,
      tokenAuthMethods: provider.tokenAuthMethods,
      scopes: provider.scopes,
    });

  const becomeClient = async (target: SetupTarget, provider: DiscoveredProvider, mode: ClientMode) => {
    const { configId, existing, isDryRun = false } = target;
    if (mode === 'metadata_document') {
      const clientId = urls.clientMetadataUrl(configId);
      return { clientId, clientSecret: null, secretExpiresAt: null, tokenAuthMethod: 'none' as const };
    }
    if (existing !== undefined && isStillGood(existing, provider, now())) {
      const { clientId, discovery } = existing;
      return {
        clientId,
        clientSecret: undefined,
        secretExpiresAt: discovery.clientSecretExpiresAt,
        tokenAuthMethod: discovery.clientAuthMethod,
      };
    }
    if (isDryRun)
      return { clientId: 'dry-run', clientSecret: null, secretExpiresAt: null, tokenAuthMethod: 'none' as const };
    return register(configId, provider);
  };

  return {
    /** A dry run of discovery. Registers nothing. Never rejects because of the other server. */
    discover,

    /**
     * Runs discovery, and registers the gateway if necessary. An existing client at the same issuer is reused.
     *
     * @throws UPSTREAM_FAILED with the step that failed
     */
    async settle(target: SetupTarget): Promise<OAuthSettings> {
      const { provider, clientMode, steps, problems } = await discover(target);
      if (provider === null) {
        const step = steps.findLast(({ outcome }) => outcome !== 'found')?.name ?? 'discovery';
        throw setupFailed(step, problems.join(' '));
      }
      if (clientMode === null) throw setupFailed('client_registration', NO_CLIENT);
      let client: Awaited<ReturnType<typeof becomeClient>>;
      try {
        client = await becomeClient(target, provider, clientMode);
      } catch (error) {
        if (!(error instanceof ClientRegistrationError)) throw error;
        throw setupFailed('client_registration', `${provider.isAssumed ? ASSUMED : ''}${error.message}`);
      }
      return {
        oauth2ClientId: client.clientId,
        oauth2ClientSecret: client.clientSecret,
        oauth2AuthUrl: provider.authorizationEndpoint,
        oauth2TokenUrl: provider.tokenEndpoint,
        oauth2RevocationUrl: provider.revocationEndpoint,
        oauth2Issuer: provider.issuer,
        oauth2Scopes: provider.scopes,
        discovery: {
          resource: provider.resource,
          issParameterSupported: provider.isIssParameterSupported,
          scopes: target.scopes.length > 0 ? [] : provider.scopes,
          registrationUrl: provider.registrationEndpoint,
          tokenAuthMethods: provider.tokenAuthMethods,
          clientMode,
          clientAuthMethod: client.tokenAuthMethod,
          clientSecretExpiresAt: client.secretExpiresAt,
          isPinned: false,
          movedAt: null,
          discoveredAt: now(),
        },
      };
    },

    /** Which authorization servers a server names now. Null when it does not say. Never rejects because of it. */
    findNamedIssuers: ({ url: serverUrl, transport }: Pick<SetupTarget, 'url' | 'transport'>) =>
      findNamedIssuers({ fetch, isAllowedPrivateHost, serverUrl, transport }),

    /** Registers the gateway again at a server that no longer knows it. */
    register,

    /** The document served at `clientMetadataUrl`. Null when other servers could not fetch it. */
    clientMetadata(configId: string): object | null {
      if (!canUseMetadataDocument(publicUrl)) return null;
      return toClientMetadataDocument({
        clientId: urls.clientMetadataUrl(configId),
        redirectUri: urls.redirectUri(toOwnCallback(configId)),
        clientName: CLIENT_NAME,
        clientUri: publicUrl,
      });
    },
  };
}

/** MCP, "Client Registration": a metadata document if both sides support it, otherwise dynamic registration. */
function toClientMode(provider: DiscoveredProvider, publicUrl: string): ClientMode | null {
  if (provider.isClientIdMetadataDocumentSupported && canUseMetadataDocument(publicUrl)) return 'metadata_document';
  return provider.registrationEndpoint === '' ? null : 'registered';
}

/** A client belongs only to the issuer where it was registered (MCP, "Authorization Server Binding"). */
function isStillGood({ issuer, discovery }: ExistingClient, provider: DiscoveredProvider, now: Date): boolean {
  return (
    discovery.clientMode === 'registered' && isSameIssuer(issuer, provider.issuer) && isUsableClient(discovery, now)
  );
}

/** Whether the server knows the client and its secret has not expired. */
export function isUsableClient(discovery: OAuthDiscoveryRecord, now: Date): boolean {
  const { clientIsUnknown, clientSecretExpiresAt } = discovery;
  return !clientIsUnknown && (clientSecretExpiresAt === null || clientSecretExpiresAt > now);
}

function setupFailed(step: string, message: string): DomainError {
  return new DomainError('UPSTREAM_FAILED', message, { step });
}

/** The client in a config's record. */
export function toExistingClient(
  config: McpServerConfigRecord,
  discovery: OAuthDiscoveryRecord | null,
): ExistingClient | undefined {
  if (discovery === null || config.oauth2ClientId === '') return undefined;
  return { issuer: config.oauth2Issuer, clientId: config.oauth2ClientId, discovery };
}
