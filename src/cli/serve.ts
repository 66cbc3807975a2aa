import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Config, readConfig } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { createPrisma } from '../data/database/prisma.ts';
import { registerKeys } from '../data/keys/key-registry.ts';
import { removeRevokedKeys } from '../data/keys/key-revocation.ts';
import { applyMigrations } from '../data/migrations/migrations.ts';
import { isLoopbackHost } from '../domain/validation/url.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { loadTrustedDocuments, type TrustedDocuments } from '../graphql/trusted-documents/load-trusted-documents.ts';
import { listen, type RunningServer } from '../http/node-server.ts';
import { VERSION } from '../package.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { adminTokenFile, loadAdminToken } from './admin-token.ts';
import { collectGarbageAfterStart, limitHeapGrowth, limitWasmTiering } from './engine-settings.ts';
import { CommandError } from './failure.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { openConfiguredKeys } from './open-keys.ts';
import { OPERATIONS } from './operations.ts';
import { startRetention } from './retention.ts';

/** How long running requests may take to finish after the signal to stop. */
const DRAIN_MS = 10_000;

/** Runs the gateway until SIGTERM or SIGINT. */
export async function serve(): Promise<void> {
  const config = readConfig();
  limitWasmTiering();
  const log = createLogger(config.logLevel, { isTraced: config.tracing !== undefined });
  // Before the database is opened and migrated: a wrong manifest stops the start.
  const trustedDocuments = loadTrustedDocuments(config, Object.values(OPERATIONS));
  await assertPortIsFree(config);
  const tracing = await startTracing(config, log);
  const database = await openConfiguredDatabase(config, (error) =>
    log.warn({ err: error }, 'database connection lost'),
  );
  try {
    warnAboutSettings(config, log);
    const gateway = await openGateway({ config, database, log, tracing, trustedDocuments });
    const stopRetention = startRetention(gateway, log);
    try {
      const signInUrl = config.graphiql ? await gateway.createSignInUrl() : undefined;
      // Set up before the start is announced: from then on a signal must shut down cleanly.
      const stopped = stopSignal();
      limitHeapGrowth();
      const server = await listenOrExplain(gateway, config);
      collectGarbageAfterStart();
      announce(config, server, signInUrl);
      await stopped;
      log.info('stopping');
      gateway.drain();
      // Load balancers need time to notice that /readyz fails.
      await delay(config.shutdownDelaySeconds * 1_000);
      // Only now: clients that reconnect immediately are routed to another replica.
      gateway.endStreams();
      await server.close(DRAIN_MS);
    } finally {
      await stopRetention();
      await gateway.close();
    }
  } finally {
    await database.close();
    await tracing?.close();
  }
}

/** Loads what records spans, if there is tracing. */
async function startTracing({ tracing }: Config, log: Logger): Promise<Tracing | undefined> {
  if (tracing === undefined) return undefined;
  const { openTracing } = await import('../telemetry/open-telemetry.ts');
  return openTracing(tracing, { version: VERSION, log });
}

function warnAboutSettings(config: Config, log: Logger): void {
  for (const warning of config.warnings) log.warn(warning);
  const url = new URL(config.publicUrl);
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    log.warn('GATEHOUSE_PUBLIC_URL is not https: cookies and tokens are sent unencrypted');
  }
  if (config.databaseUrl !== undefined && config.adminToken === undefined) {
    log.warn('GATEHOUSE_ADMIN_TOKEN is not set: each replica generates its own admin token');
  }
}

async function openGateway({
  config,
  database,
  log,
  tracing,
  trustedDocuments,
}: {
  config: Config;
  database: Database;
  log: Logger;
  tracing: Tracing | undefined;
  trustedDocuments: TrustedDocuments;
}): Promise<Gateway> {
  const applied = await applyMigrations(database);
  if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied');
  const { keyring, keyFile } = await openConfiguredKeys(config);
  const prisma = createPrisma(database, keyring);
  // Completes a revocation if a crash came before the key file was updated.
  if (keyFile !== undefined) await removeRevokedKeys(prisma, keyring, keyFile);
  const { registered, warnings } = await registerKeys(prisma, keyring);
  await prisma.$disconnect();
  if (registered.length > 0) log.info({ keys: registered }, 'encryption keys registered');
  for (const warning of warnings) log.warn(warning);
  const adminToken = await loadAdminToken(config);
  return createGateway({ config, database, keyring, keyFile, adminToken, log, tracing, trustedDocuments });
}

async function listenOrExplain(gateway: Gateway, config: Config): Promise<RunningServer> {
  try {
    return await listen(gateway.app, config);
  } catch (error) {
    throw explainListenError(error, config);
  }
}

/** Fails before the database is opened, or even created, instead of after. */
async function assertPortIsFree(config: Config): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(explainListenError(error, config)));
    probe.listen(config.port, config.host, () => probe.close(() => resolve()));
  });
}

function explainListenError(error: unknown, { host, port }: Config): CommandError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') return new CommandError(`Cannot listen on ${host}:${port}: ${message}`);
  return new CommandError(
    `Port ${port} on ${host} is already in use. Stop the process that uses it, or set PORT to another port.`,
  );
}

/** Prints the addresses for the person at the terminal. */
function announce(config: Config, { port }: RunningServer, signInUrl: string | undefined): void {
  const lines = [`Gatehouse listens on http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`];
  if (signInUrl !== undefined) {
    lines.push(`Console:      ${config.publicUrl}/`);
    if (!config.trustedDocumentsOnly) lines.push(`Playground:   ${config.publicUrl}/graphql`);
    lines.push(`Sign in once: ${signInUrl}`);
  }
  if (config.adminToken === undefined) lines.push(`Admin token:  in the file ${adminTokenFile(config)}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Resolves at the first signal to stop. A second signal ends the process immediately. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      resolve();
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.off(signal, stop);
        process.once(signal, () => process.exit(1));
      }
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
  });
}
