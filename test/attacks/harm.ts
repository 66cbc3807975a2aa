import type { HonestReport } from './honest-caller.ts';

/** What an attack did. Times in milliseconds. */
export interface Harm {
  /** The honest caller's 99th percentiles: without the attack and during it. */
  quietP99: number;
  p99: number;
  /** The same for the server that nobody attacks. */
  controlQuietP99: number;
  controlP99: number;
  honestCalls: number;
  honestFailures: string[];
  /**
   * Bytes more than before any attack so far, by the smallest measurement, after this one is over and the garbage
   * collected.
   */
  liveGrowth: number;
  /** Bytes more than before this attack. */
  residentGrowth: number;
  faults: number;
}

/** The honest caller's limit on a machine that does nothing else. */
const MAX_P99_MS = 250;
/** The 99th percentile of an answer on such a machine, of the gateway and of the server that nobody attacks. */
const USUAL_P99_MS = 15;

/**
 * How much slower the machine was than one that does nothing else. The gateway before the attack shows how slow it is
 * anyway. The server that nobody attacks shows how much slower it became since: beside a load that started later, it
 * waits for the processor as the gateway does. It does not wait for what the gateway has to do, so a delay that the
 * attack causes inside the gateway does not raise the limit.
 */
export function findSlowness({ quietP99, controlQuietP99, controlP99 }: Harm): number {
  return Math.max(1, quietP99 / USUAL_P99_MS) * Math.max(1, controlP99 / Math.max(USUAL_P99_MS, controlQuietP99));
}

/** Whether the honest caller waited for so long that the attack, and not only the machine, is the cause. */
export function isDelayed(harm: Harm): boolean {
  // What could not be measured is not harmless.
  return !(harm.p99 < MAX_P99_MS * findSlowness(harm));
}

/** Whether the machine did nothing else while this was measured, so that it can be compared with what comes later. */
export function isQuiet({ durations, controlDurations }: HonestReport): boolean {
  return [durations, controlDurations].every((each) => percentile99(each) <= USUAL_P99_MS);
}

/** The value that one in a hundred exceeds. */
export function percentile99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * 0.99), sorted.length - 1)] ?? Number.NaN;
}
