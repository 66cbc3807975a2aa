import type { Gateway } from '../gateway.ts';
import type { Logger } from '../telemetry/logger.ts';

const INTERVAL_MS = 60 * 60 * 1_000;

/**
 * Removes what is too old, now and every hour: changes that nobody resumes from any more, and audit entries where a
 * limit is set.
 *
 * @returns how to stop
 */
export function startRetention(gateway: Pick<Gateway, 'expire'>, log: Logger): () => Promise<void> {
  let running = Promise.resolve();
  const run = (): void => {
    running = gateway.expire().then(
      (removed) => {
        if (removed.auditEntries > 0 || removed.changes > 0) log.info(removed, 'removed what is too old');
      },
      (error: unknown) => log.error({ err: error }, 'what is too old could not be removed'),
    );
  };
  run();
  const timer = setInterval(run, INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
