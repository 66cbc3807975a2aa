import type { Gateway } from '../gateway.ts';
import type { Logger } from '../telemetry/logger.ts';

const INTERVAL_MS = 60 * 60 * 1_000;

/**
 * Removes expired records at startup and every hour: changes too old to resume from, and audit entries if a retention
 * time is set.
 *
 * @returns a function that stops it
 */
export function startRetention(gateway: Pick<Gateway, 'expire'>, log: Logger): () => Promise<void> {
  let running = Promise.resolve();
  const run = (): void => {
    running = gateway.expire().then(
      (removed) => {
        if (removed.auditEntries > 0 || removed.changes > 0) log.info(removed, 'expired records removed');
      },
      (error: unknown) => log.error({ err: error }, 'expired records could not be removed'),
    );
  };
  run();
  const timer = setInterval(run, INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
