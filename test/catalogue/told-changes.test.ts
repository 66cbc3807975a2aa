import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createToldChanges } from '../../src/domain/catalogue/told-changes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Tells every so often for a time. @returns the seconds at which it was listed */
async function tell(everyMs: number, forMs: number, isListed = () => true): Promise<number[]> {
  const at: number[] = [];
  const begun = Date.now();
  const told = createToldChanges(async () => {
    at.push((Date.now() - begun) / SECOND);
    return isListed();
  });
  for (let time = 0; time < forMs; time += everyMs) {
    told.hear('list');
    await vi.advanceTimersByTimeAsync(everyMs);
  }
  told.close();
  return at;
}

test.each([1, 20, 31, 61])('a server that tells every %i seconds is listed ever more rarely', async (seconds) => {
  const at = await tell(seconds * SECOND, 24 * HOUR);
  expect(at[0]).toBe(0);
  const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
  expect(gaps[0]).toBeGreaterThanOrEqual(30);
  expect(Math.max(...gaps)).toBeLessThan(900 + 2 * seconds);
  // Not 2,880, and not as often as it tells.
  expect(at.length).toBeLessThan(24 * 4 + 10);
});

test('a server that tells now and then is listed each time', async () => {
  expect(await tell(HOUR, 24 * HOUR)).toHaveLength(24);
});

test('what another replica lists meanwhile is listed again at the end', async () => {
  let times = 0;
  const isListed = (): boolean => {
    times += 1;
    return times > 1;
  };
  const at = await tell(100 * SECOND, 100 * SECOND, isListed);
  expect(at).toEqual([0, 30]);
});
