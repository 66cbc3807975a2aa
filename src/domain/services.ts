import type { Caches } from '../cache/caches.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { Secret } from '../crypto/secret.ts';
import type { Memory } from '../data/memory/memory.ts';
import type { McpToolApproval } from '../data/records.ts';
import type { KeyRepository } from '../data/repositories/key-repository.ts';
import type { Quotas } from '../limits/quotas.ts';
import type { ServerProbe } from '../mcp/probe-server.ts';
import type { Upstreams } from '../mcp/upstreams.ts';
import type { SafeFetch } from '../outbound/safe-fetch.ts';
import { createAudit } from './audit/audit.ts';
import { createCatalogue } from './catalogue/catalogue.ts';
import { createUpstreamTools, type UpstreamTools } from './catalogue/upstream-tools.ts';
import { createChats } from './chats/chats.ts';
import { createConfigs } from './configs/configs.ts';
import { createConnections } from './connections/connections.ts';
import { createCredentials } from './credentials/credentials.ts';
import type { OidcSettings } from './credentials/oidc-settings.ts';
import { createCursors } from './cursors.ts';
import type { CallWatch } from './door/call-watch.ts';
import { createDoors } from './door/doors.ts';
import type { ItemMemory } from './door/item-memory.ts';
import type { Experiment } from './experiments.ts';
import type { ConfigEvent } from './feed/config-event.ts';
import type { StreamLimits } from './feed/config-streams.ts';
import { createFeed } from './feed/feed.ts';
import { createGovernance } from './governance/governance.ts';
import { createIconService } from './icons/icon-service.ts';
import { createKeyService } from './keys/key-service.ts';
import { createOperationShares } from './shares/operation-shares.ts';
import { createUserRates } from './shares/user-rates.ts';
import { createCallRecords, type ToolCallAudit, type ToolCallRecord } from './tool-calls/call-records.ts';
import { createCallUsage } from './tool-calls/call-usage.ts';
import { createServerTests } from './upstreams/server-test.ts';
import { createUpstreamCalls, type UpstreamCalls } from './upstreams/upstream-calls.ts';
import { createUserService } from './users/user-service.ts';
import type { IsAllowedPrivateHost, ResolveHosts } from './validation/url.ts';

/** What the services work with. */
export interface ServicesOptions {
  memory: Memory;
  caches: Caches;
  keys: KeyRepository;
  keyring: Keyring;
  adminToken: Secret;
  experiments: ReadonlySet<Experiment>;
  publicUrl: string;
  oidc: OidcSettings | undefined;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  resolveHosts: ResolveHosts;
  /** Fetches from servers and from their authorization servers. */
  outbound: { fetch: SafeFetch };
  /** Calls the servers. */
  upstreams: Upstreams;
  /** Ends running calls whose rule has fallen. */
  watch: CallWatch;
  itemMemory: ItemMemory;
  /** Learns of errors that only make a list of resources or prompts shorter. */
  onListError: (error: unknown) => void;
  /** Tries servers, for tests. */
  probe: ServerProbe;
  /** Fetches from the operator's own OpenID Connect issuer. */
  issuerOutbound: { fetch: SafeFetch };
  onIssuerError: (error: unknown) => void;
  quotas: Quotas;
  /** The longest life of a new API token. If absent, one need not expire. */
  apiTokenMaxDays: number | undefined;
  /** Whether MCP doors have a tool that tells which servers need something. */
  statusTool: boolean;
  /** Which tool calls get an audit entry. */
  auditToolCalls: ToolCallAudit;
  /** Whether a new server pins its tools, if nothing else is said. */
  defaultToolApproval: McpToolApproval;
  onToolCall: (call: Pick<ToolCallRecord, 'config' | 'outcome' | 'ms'>) => void;
  onCallRecordError: (error: unknown, count: number) => void;
  onUsageError: (error: unknown) => void;
  /** Lists the tools of servers instead of calling them, for tests. */
  upstreamTools: UpstreamTools | undefined;
  listsInBackground: boolean;
  onListingError: (error: unknown) => void;
  streamLimits: Partial<StreamLimits> | undefined;
  onStreamEvent: (type: ConfigEvent['type']) => void;
  now: () => Date;
}

/** What `http` and `graphql` offer to callers. Each service asks the policy. */
export type Services = ReturnType<typeof createServices>['services'];

/** What handles plain secrets and tokens: for the gateway's own calls to servers, never for a caller. */
export type InternalServices = ReturnType<typeof createServices>['internal'];

/** Creates all services, folder by folder. A new service is added in its folder; a new folder is one line here. */
export function createServices(options: ServicesOptions) {
  const { memory, experiments, isAllowedPrivateHost, resolveHosts, quotas, now } = options;
  const { store } = memory;

  const userRates = createUserRates(options);
  const { services: connections, internal } = createConnections({ ...options, store, userRates });
  const { endings, secrets, expiry } = internal;
  const upstreamCalls = createUpstreamCalls({ ...options, ...internal, store });
  const cursors = createCursors({ keyring: options.keyring, epoch: memory.reader.epoch });
  const credentials = createCredentials({ ...options, cursors, issuerFetch: options.issuerOutbound.fetch });
  const { renewViewer } = credentials;
  const { plans, services: configs } = createConfigs({
    store,
    experiments,
    isAllowedPrivateHost,
    resolveHosts,
    setup: connections.oauthSetup,
    connections: connections.connections,
    endings,
    quotas,
    userRates,
    defaultToolApproval: options.defaultToolApproval,
  });

  const chats = createChats({ store, experiments, ...connections, quotas });
  const upstream = options.upstreamTools ?? createUpstreamTools(upstreamCalls);
  // Who lists without calling servers hears none either.
  const listen: UpstreamCalls['listen'] =
    options.upstreamTools === undefined ? upstreamCalls.listen : async () => ({ state: 'ok', value: 'unsupported' });
  const catalogue = createCatalogue({ ...options, ...connections, ...chats, upstream, listen, userRates });
  const callUsage = createCallUsage({ store, now, onError: options.onUsageError });
  const callRecords = createCallRecords({
    store,
    usage: callUsage,
    audits: options.auditToolCalls,
    onCall: options.onToolCall,
    onError: options.onCallRecordError,
  });

  const services = {
    experiments,
    cursors,
    shares: options.caches.add(createOperationShares()),
    userRates,
    serverTests: createServerTests({ ...options, ...internal, store, plans, userRates }),
    ...credentials,
    ...connections,
    ...configs,
    icons: createIconService({ ...options, store, fetch: options.outbound.fetch }),
    users: createUserService({ store, endings, now }),
    keys: createKeyService(options),
    ...chats,
    ...catalogue.services,
    callUsage,
    door: createDoors({
      ...options,
      ...catalogue.services,
      ...catalogue.internal,
      userRates,
      renewViewer,
      store,
      upstreamCalls,
      records: callRecords,
    }),
    ...createGovernance({
      store,
      experiments,
      readFeed: memory.reader.status,
      ...configs,
      ...connections,
      ...catalogue.services,
    }),
    ...createAudit({ store, experiments, caches: options.caches, now }),
    ...createFeed({
      memory,
      cursors,
      renewViewer,
      secrets,
      expiry,
      experiments,
      limits: options.streamLimits,
      onEvent: options.onStreamEvent,
      now,
    }),
  };
  return { services, internal: { ...internal, upstreamCalls, callRecords, catalogue: catalogue.internal } };
}
