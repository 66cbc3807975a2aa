import type { Gateway } from '../gateway.ts';
import type { Logger } from '../telemetry/logger.ts';

const INTERVAL_MS = 60 * 60 * 1_000;
/** Users see an expired connection on the change feed within this time. */
const CONNECTIONS_INTERVAL_MS = 60 * 1_000;

/**
 * Removes expired records at startup and every hour: changes too old to resume from, and audit entries if a retention
 * time is set. Ends expired connections every minute.
 *
 * @returns a function that stops it
 */
export function startRetention(gateway: Pick<Gateway, 'expire' | 'endExpired'>, log: Logger): () => Promise<void> {
  const stops = [
    repeat(INTERVAL_MS, async () => {
      const removed = await gateway.expire();
      if (removed.auditEntries > 0 || removed.changes > 0) log.info(removed, 'expired records removed');
    }),
    repeat(CONNECTIONS_INTERVAL_MS, async () => {
      const count = await gateway.endExpired();
      if (count > 0) log.info({ count }, 'expired connections ended');
    }),
  ];
  return async () => void (await Promise.all(stops.map((stop) => stop())));

  /** Runs the work now and at each interval, never twice at a time. */
  function repeat(intervalMs: number, work: () => Promise<void>): () => Promise<void> {
    let running: Promise<void> | undefined;
    const run = (): void => {
      running ??= work()
        .catch((error: unknown) => log.error({ err: error }, 'expired records could not be removed'))
        .finally(() => {
          running = undefined;
        });
    };
    run();
    const timer = setInterval(run, intervalMs);
    return async () => {
      clearInterval(timer);
      await running;
    };
  }
}
