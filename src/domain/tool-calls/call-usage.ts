import type { Store } from '../../data/store.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { CallTallies, type CountedCall, hoursBefore, toHour } from './call-tallies.ts';
import { toPercentile } from './duration-steps.ts';

/** How long calls wait to be written, with all others of that time. */
const FLUSH_MS = 5_000;
const DAY_HOURS = 24;
const WEEK_HOURS = 7 * DAY_HOURS;
const KEPT_HOURS = 8 * DAY_HOURS;

/** How the tools of a server were called within some time. */
export interface UsagePeriod {
  /** Without those that were denied. */
  calls: number;
  errors: number;
  denied: number;
  users: number;
  /** Null without calls. */
  p50Ms: number | null;
  p95Ms: number | null;
}

/** Of one server: the hours that have begun within a day and a week, the present one included. */
export interface ServerUsage {
  lastDay: UsagePeriod;
  lastWeek: UsagePeriod;
}

/** Counts calls of tools. */
export type CallUsage = ReturnType<typeof createCallUsage>;

/**
 * Creates the counter. It writes every few seconds what came meanwhile, and replicas add up what they write. What cannot
 * be written waits for the next time, up to a limit.
 *
 * @param onError learns that counts could not be written
 */
export function createCallUsage({
  store,
  now,
  onError,
}: {
  store: Pick<Store, 'transaction' | 'callCounts'>;
  now: () => Date;
  onError: (error: unknown) => void;
}) {
  const maxWaiting = MCP_LIMITS.waitingUsage.value;
  let waiting = new CallTallies();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    const batch = waiting;
    if (batch.size === 0) return;
    waiting = new CallTallies();
    try {
      await store.transaction((tx) => tx.callCounts.add(SYSTEM, batch.list()));
    } catch (error) {
      onError(error);
      // What came meanwhile is the smaller part.
      batch.addAll(waiting);
      waiting = batch;
      start();
    }
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  };

  const start = (): void => {
    timer ??= setTimeout(() => void flush(), FLUSH_MS).unref();
  };

  return {
    /** Counts a call that has ended. */
    count(call: CountedCall): void {
      // Only while the database is away for long. Calls end then, too.
      if (waiting.size >= maxWaiting) return;
      waiting.add(call, toHour(now()));
      start();
    },

    /** How the tools of servers were called. What this process has counted is in it. */
    async read(viewer: Viewer, configIds: readonly string[]): Promise<Map<string, ServerUsage>> {
      const hour = toHour(now());
      const since = { day: hoursBefore(hour, DAY_HOURS - 1), week: hoursBefore(hour, WEEK_HOURS - 1) };
      await flush();
      const found = await store.callCounts.read(viewer, { configIds, ...since });
      return new Map(
        found.map(({ configId, lastDay, lastWeek }) => [
          configId,
          { lastDay: toPeriod(lastDay), lastWeek: toPeriod(lastWeek) },
        ]),
      );
    },

    /** Removes what is older than eight days. */
    async expire(): Promise<void> {
      await store.callCounts.removeBefore(SYSTEM, { hour: hoursBefore(toHour(now()), KEPT_HOURS) });
    },

    /** Writes what is left. */
    async close(): Promise<void> {
      await flush();
      clearTimeout(timer);
    },
  };
}

function toPeriod({ durations, ...counts }: Omit<UsagePeriod, 'p50Ms' | 'p95Ms'> & { durations: number[] }) {
  return { ...counts, p50Ms: toPercentile(durations, 0.5), p95Ms: toPercentile(durations, 0.95) };
}
