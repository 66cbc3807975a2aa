import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noDurations, toPercentile, toStep } from '../../src/domain/tool-calls/duration-steps.ts';

const durations = fc.array(fc.integer({ min: 0, max: 700_000 }), { minLength: 1, maxLength: 50 });

test('a percentile is at most 16% off, and rounded', () => {
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.95), (all, share) => {
      const counts = noDurations();
      for (const ms of all) counts[toStep(ms)] = (counts[toStep(ms)] ?? 0) + 1;
      const exact = all.sort((a, b) => a - b)[Math.ceil(all.length * share) - 1] as number;
      // The first step is a whole millisecond; all are rounded to one.
      const allowed = exact < 1 ? 1 : exact * 0.16 + 0.5;
      expect(Math.abs((toPercentile(counts, share) ?? Number.NaN) - exact)).toBeLessThanOrEqual(allowed);
    }),
  );
});

test('what takes longer than all steps is in the last one, and nothing has no percentile', () => {
  expect(toStep(1e12)).toBe(noDurations().length - 1);
  expect(toPercentile(noDurations(), 0.5)).toBeNull();
});
