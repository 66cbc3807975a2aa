import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Config, readConfig } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { createPrisma } from '../data/database/prisma.ts';
import { registerKeys } from '../data/keys/key-registry.ts';
import { forgetRevokedKeys } from '../data/keys/key-revocation.ts';
import { applyMigrations } from '../data/migrations/migrations.ts';
import { isLoopbackHost } from '../domain/validation/url.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { listen, type RunningServer } from '../http/node-server.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { adminTokenFile, loadAdminToken } from './admin-token.ts';
import { CommandError } from './failure.ts';
import { limitHeapGrowth } from './heap-growth.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { openConfiguredKeys } from './open-keys.ts';
import { startRetention } from './retention.ts';

/** How long running requests may take after the gateway was told to stop. */
const DRAIN_MS = 10_000;

/** How long the gateway still takes requests after `/readyz` says no. */
const DRAIN_NOTICE_MS = 3_000;

/** Runs the gateway until it is told to stop by SIGTERM or SIGINT. */
export async function serve(): Promise<void> {
  const config = readConfig();
  limitHeapGrowth();
  const log = createLogger(config.logLevel);
  await assertPortIsFree(config);
  const database = await openConfiguredDatabase(config, (error) =>
    log.warn({ err: error }, 'a database connection broke'),
  );
  try {
    warnOfSettings(config, log);
    const gateway = await openGateway(config, database, log);
    const stopRetention = startRetention(gateway, log);
    try {
      const signInUrl = config.graphiql ? await gateway.createSignInUrl() : undefined;
      // Before anybody is told that the gateway runs: from then on it must stop in order.
      const stopped = stopSignal();
      const server = await listenOrExplain(gateway, config);
      announce(config, server, signInUrl);
      await stopped;
      log.info('stopping');
      gateway.drain();
      // Load balancers need a moment to see that /readyz says no; an embedded gateway has none in front.
      if (database.kind === 'server') await delay(DRAIN_NOTICE_MS);
      // After that: who comes back at once is to find another replica.
      gateway.endStreams();
      await server.close(DRAIN_MS);
    } finally {
      await stopRetention();
      await gateway.close();
    }
  } finally {
    await database.close();
  }
}

function warnOfSettings(config: Config, log: Logger): void {
  const url = new URL(config.publicUrl);
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    log.warn('GATEHOUSE_PUBLIC_URL is not https: cookies and tokens travel in the clear');
  }
  if (config.databaseUrl !== undefined && config.adminToken === undefined) {
    log.warn('GATEHOUSE_ADMIN_TOKEN is not set: each replica makes an admin token of its own');
  }
}

async function openGateway(config: Config, database: Database, log: Logger): Promise<Gateway> {
  const applied = await applyMigrations(database);
  if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied');
  const { keyring, keyFile } = await openConfiguredKeys(config);
  const prisma = createPrisma(database, keyring);
  // A crash may have come between a revocation and the change of the file.
  if (keyFile !== undefined) await forgetRevokedKeys(prisma, keyring, keyFile);
  const { registered, warnings } = await registerKeys(prisma, keyring);
  await prisma.$disconnect();
  if (registered.length > 0) log.info({ keys: registered }, 'encryption keys registered');
  for (const warning of warnings) log.warn(warning);
  return createGateway({ config, database, keyring, keyFile, adminToken: await loadAdminToken(config), log });
}

async function listenOrExplain(gateway: Gateway, config: Config): Promise<RunningServer> {
  try {
    return await listen(gateway.app, config);
  } catch (error) {
    throw explainListenError(error, config);
  }
}

/** Says at once what would else come after the database was opened, and perhaps made. */
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
  return new CommandError(`Port ${port} on ${host} is taken; stop what uses it, or set PORT to another.`);
}

/** Tells a person at the terminal where to go. */
function announce(config: Config, { port }: RunningServer, signInUrl: string | undefined): void {
  const lines = [`Gatehouse listens on http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`];
  if (signInUrl !== undefined) {
    lines.push(`Playground:   ${config.publicUrl}/graphql`);
    lines.push(`Sign in once: ${signInUrl}`);
  }
  if (config.adminToken === undefined) lines.push(`Admin token:  in the file ${adminTokenFile(config)}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Resolves at the first signal to stop; the second ends the process at once. */
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
