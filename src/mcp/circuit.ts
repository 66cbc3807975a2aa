import { UpstreamError, type UpstreamProblem } from './upstream-error.ts';
import { MAX_FAILURES, MAX_PAUSE_MS, MAX_REMEMBERED, MIN_PAUSE_MS } from './upstream-limits.ts';

interface Failures {
  count: number;
  reason: UpstreamProblem;
  /** When the next attempt may be made, by the clock. 0 while there is no pause. */
  pausedUntil: number;
  /** Whether somebody makes that attempt now. */
  isProbed: boolean;
}

/** Why a server is left alone, and until when. */
export interface Pause {
  reason: UpstreamProblem;
  remainingMs: number;
}

/**
 * Creates the circuit: after some failures in a row a server is left alone, for a time that doubles with each further
 * failure. Then one attempt decides.
 *
 * @param clock in milliseconds
 */
export function createCircuit(clock: () => number) {
  const servers = new Map<string, Failures>();

  return {
    /**
     * Asks to make an attempt. Report its end with `succeed` or `fail`.
     *
     * @returns whether it is the one that decides; report then with `abandon` that it told nothing about the server
     * @throws CIRCUIT_OPEN
     */
    enter(server: string): boolean {
      const failures = servers.get(server);
      if (failures === undefined || failures.count < MAX_FAILURES) return false;
      const remainingMs = Math.max(0, failures.pausedUntil - clock());
      if (remainingMs > 0 || failures.isProbed) {
        throw new UpstreamError('CIRCUIT_OPEN', { reason: failures.reason, retryAfterMs: remainingMs });
      }
      failures.isProbed = true;
      return true;
    },

    succeed(server: string): void {
      servers.delete(server);
    },

    fail(server: string, reason: UpstreamProblem): void {
      const count = (servers.get(server)?.count ?? 0) + 1;
      servers.delete(server);
      const pauseMs = count < MAX_FAILURES ? 0 : Math.min(MIN_PAUSE_MS * 2 ** (count - MAX_FAILURES), MAX_PAUSE_MS);
      servers.set(server, { count, reason, pausedUntil: clock() + pauseMs, isProbed: false });
      const [oldest] = servers.keys();
      if (servers.size > MAX_REMEMBERED && oldest !== undefined) servers.delete(oldest);
    },

    /** Lets another attempt decide. */
    abandon(server: string): void {
      const failures = servers.get(server);
      if (failures !== undefined) failures.isProbed = false;
    },

    /** Whether the server is left alone. */
    pause(server: string): Pause | undefined {
      const failures = servers.get(server);
      if (failures === undefined || failures.count < MAX_FAILURES) return undefined;
      return { reason: failures.reason, remainingMs: Math.max(0, failures.pausedUntil - clock()) };
    },
  };
}
