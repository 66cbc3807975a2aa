/** Each step ends a third later than the one before. */
const RATIO = 4 / 3;
/** The last one ends after 12 minutes, and has all that took longer, too. */
const STEPS = 48;

/** No durations: how many calls took how long, step by step. */
export function noDurations(): number[] {
  return new Array<number>(STEPS).fill(0);
}

/** The step that a duration belongs to. The first one ends at a millisecond. */
export function toStep(ms: number): number {
  if (ms <= 1) return 0;
  // Rounded, since the end of a step is in it.
  return Math.min(Math.ceil(Number((Math.log(ms) / Math.log(RATIO)).toFixed(9))), STEPS - 1);
}

/**
 * The duration that a share of the calls did not exceed, in milliseconds: the middle of its step, so at most 16% off.
 *
 * @param counts as `noDurations` has them
 * @returns null without calls
 */
export function toPercentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let rest = Math.max(Math.ceil(total * share), 1);
  for (const [step, count] of counts.entries()) {
    rest -= count;
    if (rest <= 0) return Math.round(step === 0 ? 1 : RATIO ** (step - 0.5));
  }
  return null;
}
