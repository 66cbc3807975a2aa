import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { createPrisma } from '../data/database/prisma.ts';
import { registerKeys } from '../data/keys/key-registry.ts';
import { removeRevokedKeys } from '../data/keys/key-revocation.ts';
import { applyMigrations } from '../data/migrations/migrations.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { loadTrustedDocuments, type TrustedDocuments } from '../graphql/trusted-documents/load-trusted-documents.ts';
import { listen, type RunningServer } from '../http/node-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { adminTokenFile, loadAdminToken } from './admin-token.ts';
import { collectGarbageAfterStart, limitHeapGrowth } from './engine-settings.ts';
import { explainListenError } from './listen-error.ts';
import { openConfiguredKeys } from './open-keys.ts';
import { OPERATIONS } from './operations.ts';
import { startRetention } from './retention.ts';

/** How long running requests may take to finish after the signal to stop. */
const DRAIN_MS = 10_000;

/** What a gateway is made of before it is loaded. */
interface Parts {
  config: Config;
  /** Open; the gateway does not close it. */
  database: Database;
  log: Logger;
  tracing: Tracing | undefined;
  /** Those that `loadDocuments` has loaded already, if any. */
  trustedDocuments: TrustedDocuments | undefined;
}

/** Loads the documents of the console and of the commands, and those that the operator trusts. @throws ConfigError */
export function loadDocuments(config: Config): TrustedDocuments {
  return loadTrustedDocuments(config, Object.values(OPERATIONS));
}

/** Migrates the database, and runs the gateway over it until SIGTERM or SIGINT. */
export async function runGateway(parts: Parts): Promise<void> {
  const { config, log } = parts;
  const gateway = await openGateway(parts);
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
}

async function openGateway({ config, database, log, tracing, trustedDocuments }: Parts): Promise<Gateway> {
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
  return createGateway({
    config,
    database,
    keyring,
    keyFile,
    adminToken: await loadAdminToken(config),
    log,
    tracing,
    trustedDocuments: trustedDocuments ?? loadDocuments(config),
  });
}

async function listenOrExplain(gateway: Gateway, config: Config): Promise<RunningServer> {
  try {
    return await listen(gateway.app, config);
  } catch (error) {
    throw explainListenError(error, config);
  }
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
