import type { SetupReport } from '../../domain/connections/oauth-setup.ts';
import type { DiscoveryStep } from '../../domain/oauth/discovery/discovery-report.ts';
import { builder } from '../builder.ts';

const OAuthDiscoveryStepNameEnum = builder.enumType('OAuthDiscoveryStepName', {
  description: 'A step of discovery (Model Context Protocol, "Authorization Server Discovery").',
  values: {
    CHALLENGE: { value: 'challenge', description: 'Request the MCP server without a token.' },
    PROTECTED_RESOURCE_METADATA: {
      value: 'protected_resource_metadata',
      description: "Read the MCP server's protected resource metadata (RFC 9728).",
    },
    AUTHORIZATION_SERVER_METADATA: {
      value: 'authorization_server_metadata',
      description: "Read the authorization server's metadata (RFC 8414, OpenID Connect Discovery).",
    },
  } as const,
});

const OAuthDiscoveryOutcomeEnum = builder.enumType('OAuthDiscoveryOutcome', {
  description: 'The outcome of a step.',
  values: {
    FOUND: { value: 'found', description: 'Found and usable.' },
    ABSENT: { value: 'absent', description: 'Not there. Discovery continues elsewhere if it can.' },
    FAILED: { value: 'failed', description: 'Invalid, or could not be fetched.' },
  } as const,
});

const OAuthClientModeEnum = builder.enumType('OAuthClientMode', {
  description: 'How the gateway becomes a client of an authorization server.',
  values: {
    METADATA_DOCUMENT: {
      value: 'metadata_document',
      description: 'Its client id is the URL of a document that the gateway serves (Client ID Metadata Document).',
    },
    REGISTERED: { value: 'registered', description: 'It registers itself dynamically (RFC 7591).' },
  } as const,
});

const OAuthDiscoveryStepType = builder.objectRef<DiscoveryStep>('OAuthDiscoveryStep').implement({
  description: 'One request made during discovery.',
  fields: (t) => ({
    name: t.expose('name', { type: OAuthDiscoveryStepNameEnum, description: 'What the request looked for.' }),
    url: t.exposeString('url', { description: 'The requested URL.' }),
    outcome: t.expose('outcome', { type: OAuthDiscoveryOutcomeEnum, description: 'The outcome of the request.' }),
    message: t.exposeString('message', { description: 'The outcome as a sentence.' }),
  }),
});

/** `OAuthDiscovery` */
export const OAuthDiscoveryType = builder.objectRef<SetupReport>('OAuthDiscovery').implement({
  description: 'What discovery found out about the authorization server of an MCP server. For admins.',
  fields: (t) => ({
    steps: t.field({
      type: [OAuthDiscoveryStepType],
      description: 'The requests, in order.',
      resolve: (report) => report.steps,
    }),
    problems: t.exposeStringList('problems', {
      description: 'Why the authorization server cannot be used; empty if it can.',
    }),
    issuer: t.string({
      nullable: true,
      description: 'Issuer identifier of the authorization server; null if none was found.',
      resolve: ({ provider }) => provider?.issuer ?? null,
    }),
    resource: t.string({
      nullable: true,
      description: "The MCP server's resource identifier, sent as `resource` (RFC 8707); null if none was found.",
      resolve: ({ provider }) => provider?.resource ?? null,
    }),
    authorizationUrl: t.string({
      nullable: true,
      description: 'Authorization endpoint; null if none was found.',
      resolve: ({ provider }) => provider?.authorizationEndpoint ?? null,
    }),
    tokenUrl: t.string({
      nullable: true,
      description: 'Token endpoint; null if none was found.',
      resolve: ({ provider }) => provider?.tokenEndpoint ?? null,
    }),
    revocationUrl: t.string({
      nullable: true,
      description: 'Revocation endpoint (RFC 7009); null if there is none.',
      resolve: ({ provider }) => provider?.revocationEndpoint || null,
    }),
    scopes: t.stringList({
      description: 'OAuth 2 scopes that the gateway would request.',
      resolve: ({ provider }) => provider?.scopes ?? [],
    }),
    oauthCallbackUrl: t.string({
      description:
        'The callback URL (redirect URI) of this deployment. To register a client by hand, register it with this URL, and create the config with `oauth2CallbackMode: SHARED`.',
      resolve: (_report, _args, { services }) => services.oauthUrls.sharedRedirectUri,
    }),
    clientMode: t.field({
      type: OAuthClientModeEnum,
      nullable: true,
      description: 'How the gateway would become a client; null if an admin must register it manually.',
      resolve: (report) => report.clientMode,
    }),
  }),
});
