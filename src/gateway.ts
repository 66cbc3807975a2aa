import { createRequire } from 'node:module';
import type { Config } from './config.ts';
import type { Keyring } from './crypto/keyring.ts';
import type { Secret } from './crypto/secret.ts';
import type { Database } from './data/database.ts';
import type { KeyFile } from './data/key-file-changes.ts';
import { checkKeys } from './data/key-registry.ts';
import { forgetRevokedKeys } from './data/key-revocation.ts';
import { isUpToDate } from './data/migrations.ts';
import { createPrisma } from './data/prisma.ts';
import { createKeyRepository } from './data/repositories/key-repository.ts';
import { createStore } from './data/store.ts';
import { createConfigService } from './domain/configs/config-service.ts';
import { createConnectionService } from './domain/connections/connection-service.ts';
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
import { createKeyService } from './domain/keys/key-service.ts';
import { createUserService } from './domain/users/user-service.ts';
import { createGraphQLHandler } from './graphql/yoga.ts';
import { type App, createApp } from './http/app.ts';
import { createPrivateHostCheck } from './outbound/private-ranges.ts';
import type { Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';

const packageJson = createRequire(import.meta.url)('../package.json') as { version: string };

/** Of this build. */
const VERSION: string = packageJson.version;

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
}

/** A gateway that is ready to listen. */
export interface Gateway {
  app: App;
  /** What the gateway sends to servers; for whoever talks to them, and never to a caller. */
  secrets: ServerSecrets;
  /** From now on `/readyz` says no, so that load balancers look elsewhere. */
  drain(): void;
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
  const store = createStore(prisma);
  await ensureBootstrapAdmin(store);

  const { experiments } = config;
  const isAllowedPrivateHost = createPrivateHostCheck(config.allowedPrivateRanges);
  const sessions = createSessionService({ store, now, bootstrapDigest: toBootstrapDigest(adminToken) });
  const configs = createConfigService({ store, experiments, isAllowedPrivateHost });
  const secrets = createServerSecrets({ store, keyring });
  const connections = createConnectionService({ store, experiments, isUnavailable: secrets.isUnavailable });
  const users = createUserService({ store });
  const apiTokens = createApiTokenService({ store, now });
  const keys = createKeyService({ keys: createKeyRepository({ prisma, keyring, keyFile }) });
  const authentication = createAuthentication({
    store,
    now,
    verifyBootstrap: createBootstrapVerifier({ store, adminToken }),
    verifyOidc:
      config.oidc &&
      createOidcVerifier({
        ...config.oidc,
        store,
        now,
        onError: (error) => log.warn({ err: error }, 'the OpenID Connect issuer cannot be used'),
      }),
  });

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
    handleGraphQL: createGraphQLHandler({ services: { configs, connections, users, apiTokens, keys }, log, metrics }),
    readinessChecks: {
      database: async () => void (await database.query('SELECT 1')),
      migrations: async () => {
        if (!(await isUpToDate(database))) throw new Error('the database is not at the schema of this build');
      },
      encryption_keys: async () => {
        await forgetRevokedKeys(prisma, keyring);
        const { problems } = await checkKeys(prisma, keyring);
        if (problems.length > 0) throw new Error(problems.join('; '));
      },
    },
    isDraining: () => isDraining,
  });

  return {
    app,
    secrets,
    drain: () => {
      isDraining = true;
    },
    async createSignInUrl() {
      const token = await sessions.createSignInLink(BOOTSTRAP_ADMIN_ID);
      return `${config.publicUrl}/auth/sign-in?token=${token.expose()}`;
    },
    close: () => prisma.$disconnect(),
  };
}
