import { createServer } from 'node:net';
import { type Config, readConfig } from '../config.ts';
import { isLoopbackHost } from '../domain/validation/url.ts';
import { VERSION } from '../package.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { checkAdminToken } from './admin-token.ts';
import { explainListenError } from './listen-error.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { checkConfiguredKeys } from './open-keys.ts';

/** Loading the gateway takes half of the time of a start. A start that fails by then does without. */
const loadGateway = () => import('./run-gateway.ts');

/** Runs the gateway until SIGTERM or SIGINT. */
export async function serve(): Promise<void> {
  const config = readConfig();
  const log = createLogger(config.logLevel, { isTraced: config.tracing !== undefined });
  // Before the database is opened and migrated: a wrong manifest stops the start.
  const trustedDocuments =
    config.trustedDocuments === undefined ? undefined : (await loadGateway()).loadDocuments(config);
  await assertPortIsFree(config);
  await checkConfiguredKeys(config);
  await checkAdminToken(config);
  const tracing = await startTracing(config, log);
  const database = await openConfiguredDatabase(config, (error) =>
    log.warn({ err: error }, 'database connection lost'),
  );
  try {
    warnAboutSettings(config, log);
    const { runGateway } = await loadGateway();
    await runGateway({ config, database, log, tracing, trustedDocuments });
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

/** Fails before the database is opened, or even created, instead of after. */
async function assertPortIsFree(config: Config): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(explainListenError(error, config)));
    probe.listen(config.port, config.host, () => probe.close(() => resolve()));
  });
}
