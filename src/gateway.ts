import { createRequire } from 'node:module';
import type { Config } from './config.ts';
import type { Keyring } from './crypto/keyring.ts';
import type { Secret } from './crypto/secret.ts';
import type { Database } from './data/database/database.ts';
import { scrubDatabaseError } from './data/database/database-error.ts';
import { createPrisma } from './data/database/prisma.ts';
import type { KeyFile } from './data/keys/key-file-changes.ts';
import { checkKeys } from './data/keys/key-registry.ts';
import { forgetRevokedKeys } from './data/keys/key-revocation.ts';
import type { FeedReader } from './data/memory/feed-reader.ts';
import { createMemory } from './data/memory/memory.ts';
import { isUpToDate } from './data/migrations/migrations.ts';
import { createKeyRepository } from './data/repositories/key-repository.ts';
import { createStore } from './data/store.ts';
import { createAuditLog } from './domain/audit/audit-log.ts';
import { createDenials } from './domain/audit/denials.ts';
import { createChatService } from './domain/chats/chat-service.ts';
import { createEffectiveServers } from './domain/chats/effective-servers.ts';
import { createConfigPlans } from './domain/configs/config-plans.ts';
import { createConfigService } from './domain/configs/config-service.ts';
import type { AccessTokens } from './domain/connections/access-tokens.ts';
import { createConnectionService } from './domain/connections/connection-service.ts';
import { createOAuth } from './domain/connections/oauth.ts';
import { requireScopes, type StepUpResult } from './domain/connections/scope-step-up.ts';
import { createServerSecrets, type ServerSecrets } from './domain/connections/server-secrets.ts';
import { createApiTokenService } from './domain/credentials/api-token-service.ts';
import { createAuthentication } from './domain/credentials/authentication.ts';
import {
  BOOTSTRAP_ADMIN_ID,
  createBootstrapVerifier,
  ensureBootstrapAdmin,
  toBootstrapDigest,
} from './domain/credentials/bootstrap-admin.ts';
import { createOidcVerifier } from './domain/credentials/oidc.ts';
import { createSessionService } from './domain/credentials/session-service.ts';
import { createViewerRenewal, followViewer } from './domain/credentials/viewer-renewal.ts';
import { createConfigStreams, STREAM_LIMITS, type StreamLimits } from './domain/feed/config-streams.ts';
import { createConfigImpacts } from './domain/governance/config-impact.ts';
import { createServerExplanations } from './domain/governance/explain-server.ts';
import { createServerTransfer } from './domain/governance/server-transfer.ts';
import { createKeyService } from './domain/keys/key-service.ts';
import { createUserService } from './domain/users/user-service.ts';
import type { AnswerStamp } from './graphql/context.ts';
import { createErrorMask } from './graphql/mask-error.ts';
import { createGraphQL } from './graphql/yoga.ts';
import { type App, createApp } from './http/app.ts';
import { createGraphQLSockets } from './http/graphql-sockets.ts';
import { createPrivateHostCheck, toHostRange } from './outbound/private-ranges.ts';
import { createSafeFetch } from './outbound/safe-fetch.ts';
import type { Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';

const packageJson = createRequire(import.meta.url)('../package.json') as { version: string };

/** Of this build. */
const VERSION: string = packageJson.version;

/** Clients that were away for longer begin anew. */
const FEED_RETENTION_MS = 7 * 24 * 60 * 60 * 1_000;

/** What the gateway is made over. */
export interface GatewayOptions {
  config: Config;
  /** Opened and migrated. The gateway does not close it. */
  database: Database;
  /** Its keys are registered by `createGateway`. */
  keyring: Keyring;
  /** Where the keys are kept; absent when they come from the environment. */
  keyFile?: KeyFile | undefined;
  adminToken: Secret;
  log: Logger;
  /** The clock, for tests. */
  now?: (() => Date) | undefined;
  /** What bounds streams; for tests. */
  streamLimits?: Partial<StreamLimits> | undefined;
}

/** A gateway that is ready to listen. */
export interface Gateway {
  app: App;
  /** What the gateway sends to servers; for whoever talks to them, and never to a caller. */
  secrets: ServerSecrets;
  /** The users' own tokens at servers, kept fresh; likewise. */
  accessTokens: AccessTokens;
  /** To be called when a server answers `insufficient_scope`. */
  requireScopes(args: { userId: string; configId: string; scopes: readonly string[] }): Promise<StepUpResult>;
  /** Removes what is too old. @returns how much that was */
  expire(): Promise<{ auditEntries: number; changes: number }>;
  /** Resolves when what runs in the background, such as the revocation of tokens, is done. */
  settle(): Promise<void>;
  /** From now on `/readyz` says no, so that load balancers look elsewhere. */
  drain(): void;
  /** Ends streams and WebSockets, so that their clients go on elsewhere; new ones end at once. */
  endStreams(): void;
  /** A URL that signs the bootstrap admin in, once. */
  createSignInUrl(): Promise<string>;
  close(): Promise<void>;
}

/** Puts the rooms together over an opened database. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, database, keyring, keyFile, adminToken, log, now = () => new Date() } = options;
  const metrics = createMetrics(database.poolUsage);
  const prisma = createPrisma(database, keyring, {
    onOpenFailure: (place, reason) => {
      log.error({ ...place, reason }, 'a sealed value does not open');
      metrics.countOpenFailure({ table: place.table, column: place.column });
    },
  });
  const memory = createMemory({
    store: createStore(prisma),
    database,
    onDelay: metrics.observeFeedDelay,
    onError: (error) => log.warn({ err: scrubDatabaseError(error) }, 'the change feed cannot be read'),
  });
  const { store, reader } = memory;
  metrics.watchFeed(reader.status);
  await ensureBootstrapAdmin(store);

  const { experiments } = config;
  const isAllowedPrivateHost = createPrivateHostCheck(config.allowedPrivateRanges);
  const outbound = createSafeFetch({ ranges: config.allowedPrivateRanges });
  // The operator's own issuer may be in a private network without its being open to what admins and servers name.
  const issuerRanges = config.oidc === undefined ? [] : [toHostRange(new URL(config.oidc.issuer))];
  const issuerOutbound = createSafeFetch({ ranges: [...config.allowedPrivateRanges, ...issuerRanges] });
  const sessions = createSessionService({ store, now, bootstrapDigest: toBootstrapDigest(adminToken) });
  const secrets = createServerSecrets({ store, keyring });
  const oauth = createOAuth({
    store,
    secrets,
    experiments,
    isAllowedPrivateHost,
    outbound,
    publicUrl: config.publicUrl,
    now,
  });
  const { endings, setup } = oauth;
  const plans = createConfigPlans({ store, isAllowedPrivateHost, setup, endings });
  const configs = createConfigService({ store, experiments, plans, endings });
  const connections = createConnectionService({ store, experiments, secrets, endings });
  const users = createUserService({ store, endings });
  const apiTokens = createApiTokenService({ store, now });
  const chats = createChatService({ store, experiments });
  const effectiveServers = createEffectiveServers({ store, connections });
  const explanations = createServerExplanations({ store, experiments, connections });
  const impacts = createConfigImpacts({ store, experiments });
  const transfer = createServerTransfer({ store, configs, experiments });
  const auditLog = createAuditLog({ store, experiments, now });
  const denials = createDenials({ store, now });
  await reader.start();
  const renewViewer = createViewerRenewal({ store, now });
  const streams = createConfigStreams({
    memory,
    experiments,
    now,
    renewViewer,
    limits: options.streamLimits,
    onEvent: metrics.countStreamEvent,
  });
  const keys = createKeyService({ keys: createKeyRepository({ prisma, keyring, keyFile }) });
  const authentication = createAuthentication({
    store,
    now,
    verifyBootstrap: createBootstrapVerifier({ store, adminToken }),
    verifyOidc:
      config.oidc &&
      createOidcVerifier({
        ...config.oidc,
        fetch: issuerOutbound.fetch,
        store,
        now,
        onError: (error) => log.warn({ err: error }, 'the OpenID Connect issuer cannot be used'),
      }),
  });

  const graphql = createGraphQL({
    services: {
      configs,
      connections,
      users,
      apiTokens,
      keys,
      chats,
      effectiveServers,
      explanations,
      impacts,
      auditLog,
      transfer,
      streams,
      answerStamp: createAnswerStamp(reader, secrets),
    },
    log,
    metrics,
  });
  const sockets = createGraphQLSockets({
    graphql,
    authentication,
    follow: (viewer) => followViewer(viewer, { renewViewer, changes: reader, now }),
    denials,
    maskError: createErrorMask(log),
    limits: { ...STREAM_LIMITS, ...options.streamLimits },
    log,
  });
  metrics.watchStreams({ streams: streams.count, sockets: sockets.count });
  const endStreams = (): void => {
    streams.endAll();
    sockets.endAll();
  };

  let isDraining = false;
  const app = createApp({
    version: VERSION,
    publicUrl: config.publicUrl,
    corsOrigins: config.corsOrigins,
    graphiql: config.graphiql,
    experiments,
    log,
    metrics,
    authentication,
    sessions,
    configs,
    connections,
    connectionFlow: oauth.flow,
    chats,
    effectiveServers,
    denials,
    trustedProxies: config.trustedProxies,
    oauthSetup: setup,
    oauthUrls: oauth.urls,
    graphql,
    sockets,
    readinessChecks: {
      database: async () => void (await database.query('SELECT 1')),
      migrations: async () => {
        if (!(await isUpToDate(database))) throw new Error('the database is not at the schema of this build');
      },
      change_feed: async () => reader.assertFresh(),
      encryption_keys: async () => {
        await forgetRevokedKeys(prisma, keyring);
        const { problems } = await checkKeys(prisma, keyring);
        if (problems.length > 0) throw new Error(problems.join('; '));
      },
    },
    readinessDetails: () => {
      const { rev, databaseRev, isListening, verifiedMsAgo } = reader.status();
      const unread = Math.max(Number(databaseRev - rev), 0);
      const verified = Number.isFinite(verifiedMsAgo) ? Math.round(verifiedMsAgo) : null;
      return { change_feed: { revision: Number(rev), unread, listening: isListening, verified_ms_ago: verified } };
    },
    isDraining: () => isDraining,
  });

  return {
    app,
    secrets,
    accessTokens: oauth.accessTokens,
    requireScopes: (args) => requireScopes(store, args),
    settle: oauth.revocation.settle,
    async expire() {
      const { auditRetentionDays } = config;
      return {
        auditEntries: auditRetentionDays === undefined ? 0 : await auditLog.expire(auditRetentionDays),
        changes: await reader.expire(new Date(now().getTime() - FEED_RETENTION_MS)),
      };
    },
    drain: () => {
      isDraining = true;
    },
    endStreams,
    async createSignInUrl() {
      const token = await sessions.createSignInLink(BOOTSTRAP_ADMIN_ID);
      return `${config.publicUrl}/auth/sign-in?token=${token.expose()}`;
    },
    async close() {
      endStreams();
      await oauth.revocation.settle();
      await reader.close();
      await Promise.all([outbound.close(), issuerOutbound.close()]);
      await prisma.$disconnect();
    },
  };
}

function createAnswerStamp(reader: FeedReader, secrets: ServerSecrets): AnswerStamp {
  const current = () => `${reader.stamp()} ${secrets.stamp()}`;
  return {
    current,
    fresh: () => reader.fresh()?.then(current) ?? current(),
  };
}
