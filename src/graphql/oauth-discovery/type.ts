import type { SetupReport } from '../../domain/connections/oauth-setup.ts';
import type { DiscoveryStep } from '../../domain/oauth/discovery/discovery-report.ts';
import { builder } from '../builder.ts';

const OAuthDiscoveryStepNameEnum = builder.enumType('OAuthDiscoveryStepName', {
  description: 'A step of discovery (Model Context Protocol, "Authorization Server Discovery").',
  values: {
    CHALLENGE: { value: 'challenge', description: 'The server is asked without a token.' },
    PROTECTED_RESOURCE_METADATA: {
      value: 'protected_resource_metadata',
      description: 'What the server says of itself (RFC 9728).',
    },
    AUTHORIZATION_SERVER_METADATA: {
      value: 'authorization_server_metadata',
      description: 'What its authorization server says of itself (RFC 8414, OpenID Connect Discovery).',
    },
  } as const,
});

const OAuthDiscoveryOutcomeEnum = builder.enumType('OAuthDiscoveryOutcome', {
  description: 'How a step ended.',
  values: {
    FOUND: { value: 'found', description: 'It is there and can be used.' },
    ABSENT: { value: 'absent', description: 'It is not there; discovery goes on elsewhere if it can.' },
    FAILED: { value: 'failed', description: 'It is wrong, or could not be had.' },
  } as const,
});

const OAuthClientModeEnum = builder.enumType('OAuthClientMode', {
  description: 'How the gateway becomes a client of an authorization server.',
  values: {
    METADATA_DOCUMENT: {
      value: 'metadata_document',
      description: 'Its client id is the URL of a document that it serves (Client ID Metadata Document).',
    },
    REGISTERED: { value: 'registered', description: 'It registers itself (RFC 7591).' },
  } as const,
});

const OAuthDiscoveryStepType = builder.objectRef<DiscoveryStep>('OAuthDiscoveryStep').implement({
  description: 'One request of a discovery.',
  fields: (t) => ({
    name: t.expose('name', { type: OAuthDiscoveryStepNameEnum, description: 'What was looked for.' }),
    url: t.exposeString('url', { description: 'Where.' }),
    outcome: t.expose('outcome', { type: OAuthDiscoveryOutcomeEnum, description: 'How it ended.' }),
    message: t.exposeString('message', { description: 'The same in words.' }),
  }),
});

/** `OAuthDiscovery` */
export const OAuthDiscoveryType = builder.objectRef<SetupReport>('OAuthDiscovery').implement({
  description: 'What discovery finds out about the authorization server of an MCP server. For admins.',
  fields: (t) => ({
    steps: t.field({
      type: [OAuthDiscoveryStepType],
      description: 'What was asked, in order.',
      resolve: (report) => report.steps,
    }),
    problems: t.exposeStringList('problems', { description: 'Why it cannot be used; empty when it can.' }),
    issuer: t.string({
      nullable: true,
      description: 'Issuer identifier of the authorization server.',
      resolve: ({ provider }) => provider?.issuer ?? null,
    }),
    resource: t.string({
      nullable: true,
      description: "The server's resource identifier, sent as `resource` (RFC 8707).",
      resolve: ({ provider }) => provider?.resource ?? null,
    }),
    authorizationUrl: t.string({
      nullable: true,
      description: 'Authorization endpoint.',
      resolve: ({ provider }) => provider?.authorizationEndpoint ?? null,
    }),
    tokenUrl: t.string({
      nullable: true,
      description: 'Token endpoint.',
      resolve: ({ provider }) => provider?.tokenEndpoint ?? null,
    }),
    revocationUrl: t.string({
      nullable: true,
      description: 'Revocation endpoint (RFC 7009), where there is one.',
      resolve: ({ provider }) => provider?.revocationEndpoint || null,
    }),
    scopes: t.stringList({
      description: 'Scopes that would be asked for.',
      resolve: ({ provider }) => provider?.scopes ?? [],
    }),
    clientMode: t.field({
      type: OAuthClientModeEnum,
      nullable: true,
      description: 'How the gateway would become a client; null when an admin has to register it by hand.',
      resolve: (report) => report.clientMode,
    }),
  }),
});
