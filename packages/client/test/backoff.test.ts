import { expect, test } from 'vitest';
import { nextDelayMs } from '../src/backoff.ts';

test.each([
  { failures: 1, least: 125, most: 250 },
  { failures: 2, least: 250, most: 500 },
  { failures: 4, least: 1_000, most: 2_000 },
  { failures: 8, least: 15_000, most: 30_000 },
  { failures: 5_000, least: 15_000, most: 30_000 },
])('after $failures failures the wait is between $least and $most ms', ({ failures, least, most }) => {
  const backoff = { minMs: 250, maxMs: 30_000 };
  expect(nextDelayMs(backoff, failures, 0)).toBe(least);
  expect(nextDelayMs(backoff, failures, 1)).toBe(most);
});
