import type { CacheStatus } from './cache/bounded-map.ts';
import { createCaches } from './cache/caches.ts';
import type { Config } from './config.ts';
import type { Keyring } from './crypto/keyring.ts';
import type { Secret } from './crypto/secret.ts';
import type { Database } from './data/database/database.ts';
import { scrubDatabaseError } from './data/database/database-error.ts';
import { createPrisma } from './data/database/prisma.ts';
import { createDataHealth } from './data/health.ts';
import type { KeyFile } from './data/keys/key-file-changes.ts';
import { createMemory } from './data/memory/memory.ts';
import { createKeyRepository } from './data/repositories/key-repository.ts';
import type { ToolListKey } from './data/repositories/tool-lists.ts';
import { createStore } from './data/store.ts';
import { createEntryRates, type EntryLimits } from './domain/audit/entry-rates.ts';
import type { UpstreamTools } from './domain/catalogue/upstream-tools.ts';
import { BOOTSTRAP_ADMIN_ID, ensureBootstrapAdmin } from './domain/credentials/bootstrap-admin.ts';
import { createCallWatch } from './domain/door/call-watch.ts';
import { createItemMemory } from './domain/door/item-memory.ts';
import type { StreamLimits } from './domain/feed/config-streams.ts';
import { createServices, type InternalServices } from './domain/services.ts';
import { createUpstreamClosing } from './domain/upstreams/upstream-closing.ts';
import { createOperationReport } from './graphql/operation-report.ts';
import { loadTrustedDocuments, type TrustedDocuments } from './graphql/trusted-documents/load-trusted-documents.ts';
import { createGraphQL } from './graphql/yoga.ts';
import { type App, createApp } from './http/app.ts';
import { createSockets } from './http/sockets.ts';
import { CACHE_BOUNDS } from './limits/cache-bounds.ts';
import { createServerProbe } from './mcp/probe-server.ts';
import { createUpstreams } from './mcp/upstreams.ts';
import { createPrivateHosts } from './outbound/private-hosts.ts';
import { toHostRange } from './outbound/private-ranges.ts';
import { createSafeFetch, type SafeFetchOptions } from './outbound/safe-fetch.ts';
import { VERSION } from './package.ts';
import { SYSTEM } from './policy/viewer.ts';
import type { Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { traceFetch } from './telemetry/traced-fetch.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** Subscribers that were away for longer start again from a snapshot. */
const FEED_RETENTION_MS = 7 * 24 * 60 * 60 * 1_000;

/** The dependencies of a gateway. */
export interface GatewayOptions {
  config: Config;
  /** Open and migrated. The gateway does not close it. */
  database: Database;
  /** Its keys are registered already. */
  keyring: Keyring;
  /** The file of the keys. Absent when they come from the environment. */
  keyFile?: KeyFile | undefined;
  adminToken: Secret;
  log: Logger;
  /** Records spans. The gateway does not close it. Absent: there are none. */
  tracing?: Tracing | undefined;
  /** Default: loaded as the settings say. */
  trustedDocuments?: TrustedDocuments | undefined;
  /** The clock, for tests. */
  now?: (() => Date) | undefined;
  /** Lists the tools of servers instead of calling them, for tests. */
  upstreamTools?: UpstreamTools | undefined;
  /** Whether tools are listed in the background, when a server changes or somebody uses it. Default true; for tests. */
  listsInBackground?: boolean | undefined;
  /** The limits of streams, for tests. */
  streamLimits?: Partial<StreamLimits> | undefined;
  /** The limits of audit entries that users cause, for tests. */
  entryLimits?: EntryLimits | undefined;
}

/** A gateway that is ready to listen. `InternalServices` is for the gateway's own calls, never for a caller. */
export interface Gateway
  extends Pick<
    InternalServices,
    'secrets' | 'accessTokens' | 'serverHeaders' | 'requireScopes' | 'upstreamCalls' | 'settle'
  > {
  app: App;
  /** Removes audit entries and changes that are older than their retention. @returns how many were removed */
  expire(): Promise<{ auditEntries: number; changes: number }>;
  /** Ends the connections whose access token expired for good. @returns how many */
  endExpired(): Promise<number>;
  /** Makes `/readyz` fail from now on, so that load balancers send requests elsewhere. */
  drain(): void;
  /** Ends streams and WebSockets, so that their clients reconnect elsewhere. New ones end at once. */
  endStreams(): void;
  /** A URL that signs the bootstrap admin in, once. */
  createSignInUrl(): Promise<string>;
  /** What is kept in memory, and what bounds it. */
  caches(): CacheStatus[];
  close(): Promise<void>;
}

/** Connects the rooms over an open database. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const {
    config,
    database,
    keyring,
    keyFile,
    adminToken,
    log,
    tracing,
    streamLimits,
    now = () => new Date(),
  } = options;
  const trustedDocuments = options.trustedDocuments ?? loadTrustedDocuments(config);
  const metrics = createMetrics(database.poolUsage);
  const caches = createCaches();
  metrics.watchCaches(caches.status);
  const prisma = createPrisma(database, keyring, {
    onOpenFailure: (place, reason) => {
      log.error({ ...place, reason }, 'a sealed value does not open');
      metrics.countOpenFailure({ table: place.table, column: place.column });
    },
  });
  const hosts = caches.add(createPrivateHosts(config.allowedPrivateRanges));
  const reach = { ranges: config.allowedPrivateRanges, hosts, identity: { name: 'gatehouse', version: VERSION } };
  let onListChanged: (key: ToolListKey) => void = () => undefined;
  const upstreams = createUpstreams({
    ...reach,
    callTimeoutMs: config.toolCallTimeoutSeconds * 1_000,
    maxAnswerBytes: config.toolAnswerMaxBytes,
    traceHosts: config.traceContextHosts,
    tracing,
    onToolsChanged: ({ configId, owner }) => onListChanged({ configId, userId: owner === 'shared' ? null : owner }),
  });
  const stored = createStore(prisma, createEntryRates({ caches, now, limits: options.entryLimits }).admit);
  const closeUpstreams = createUpstreamClosing({
    upstreams,
    findGrant: async (of) => (await stored.userTokens.find(SYSTEM, of))?.id,
  });
  const watch = createCallWatch();
  const itemMemory = createItemMemory({ caches });
  const memory = createMemory({
    store: stored,
    database,
    caches,
    onDelay: metrics.observeFeedDelay,
    onChanges(changes) {
      closeUpstreams(changes);
      watch.onChanges(changes);
      itemMemory.onChanges(changes);
    },
    onInvalidate: watch.onCallers,
    onError: (error) => log.warn({ err: scrubDatabaseError(error) }, 'the change feed cannot be read'),
  });
  const { store, reader } = memory;
  metrics.watchFeed(reader.status);
  await ensureBootstrapAdmin(store);

  const createTracedFetch = (reach: SafeFetchOptions) => {
    const safe = createSafeFetch(reach);
    return { ...safe, fetch: traceFetch(tracing, safe.fetch) };
  };
  const outbound = createTracedFetch({ ranges: config.allowedPrivateRanges, hosts });
  // The operator's own issuer may be in a private network that is closed to the hosts that admins and servers name.
  const issuerRanges = config.oidc === undefined ? [] : [toHostRange(new URL(config.oidc.issuer))];
  const ranges = [...config.allowedPrivateRanges, ...issuerRanges];
  const issuerHosts = caches.add(createPrivateHosts(ranges, undefined, CACHE_BOUNDS.issuerHosts));
  const issuerOutbound = createTracedFetch({ ranges, hosts: issuerHosts });
  const { services, internal } = createServices({
    memory,
    caches,
    keys: createKeyRepository({ prisma, keyring, keyFile }),
    keyring,
    adminToken,
    experiments: config.experiments,
    publicUrl: config.publicUrl,
    oidc: config.oidc,
    isAllowedPrivateHost: hosts.isAllowed,
    resolveHosts: hosts.resolve,
    outbound,
    upstreams,
    watch,
    itemMemory,
    onListError: (error) => log.error({ err: scrubDatabaseError(error) }, 'resources or prompts cannot be listed'),
    probe: createServerProbe(reach),
    issuerOutbound,
    upstreamTools: options.upstreamTools,
    listsInBackground: options.listsInBackground ?? true,
    onListingError: (error) => log.error({ err: scrubDatabaseError(error) }, 'the tools of a server cannot be stored'),
    onIssuerError: (error) => log.warn({ err: error }, 'the OpenID Connect issuer cannot be used'),
    quotas: config.quotas,
    apiTokenMaxDays: config.apiTokenMaxDays,
    statusTool: config.statusTool,
    auditToolCalls: config.auditToolCalls,
    defaultToolApproval: config.defaultToolApproval,
    onToolCall: ({ config: { id, slug }, outcome, ms }) =>
      metrics.countToolCall({ server: config.metricsServerNames ? slug : id, outcome, seconds: ms / 1_000 }),
    onCallRecordError: (error, count) =>
      log.error({ err: scrubDatabaseError(error), count }, 'audit entries of tool calls cannot be written'),
    onUsageError: (error) => log.error({ err: scrubDatabaseError(error) }, 'counts of tool calls cannot be written'),
    streamLimits,
    onStreamEvent: metrics.countStreamEvent,
    now,
  });
  await reader.start();
  internal.catalogue.start();
  onListChanged = internal.catalogue.listChanged;

  const reportOperation = createOperationReport({ log, metrics, tracing });
  const graphql = createGraphQL({ services, trustedDocuments, caches, log, reportOperation });
  const sockets = createSockets({ services, graphql, caches, limits: streamLimits, log });
  metrics.watchStreams({ streams: services.streams.count, sockets: sockets.count });
  const endStreams = (): void => {
    services.streams.endAll();
    sockets.endAll();
  };

  let isDraining = false;
  const app = createApp({
    version: VERSION,
    config,
    services,
    graphql,
    sockets,
    caches,
    health: createDataHealth({ database, prisma, keyring, reader }),
    isDraining: () => isDraining,
    log,
    metrics,
    tracing,
    reportOperation,
    now,
  });

  const { secrets, accessTokens, serverHeaders, requireScopes, upstreamCalls, endExpired, settle } = internal;
  return {
    app,
    secrets,
    accessTokens,
    serverHeaders,
    requireScopes,
    upstreamCalls,
    settle,
    async expire() {
      const { auditRetentionDays } = config;
      await store.rateCounts.sweep(SYSTEM, { now: now() });
      await services.callUsage.expire();
      return {
        auditEntries: auditRetentionDays === undefined ? 0 : await services.auditLog.expire(auditRetentionDays),
        changes: await reader.expire(new Date(now().getTime() - FEED_RETENTION_MS)),
      };
    },
    endExpired,
    caches: caches.status,
    drain: () => {
      isDraining = true;
    },
    endStreams,
    async createSignInUrl() {
      const token = await services.sessions.createSignInLink(BOOTSTRAP_ADMIN_ID);
      return `${config.publicUrl}/auth/sign-in?token=${token.expose()}`;
    },
    async close() {
      endStreams();
      await internal.catalogue.close();
      await upstreams.dispose();
      await settle();
      await internal.callRecords.settle();
      await services.callUsage.close();
      await services.denials.close();
      await reader.close();
      await Promise.all([outbound.close(), issuerOutbound.close()]);
      await prisma.$disconnect();
    },
  };
}
