import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createReopening } from '../../src/mcp/reopening.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Asks for a stream to be opened again, with the delay that the SDK wants. @returns how long that takes */
async function reopen(schedule: ReturnType<typeof createReopening>, delayMs: number, attempt: number): Promise<number> {
  const begunAt = performance.now();
  let openedAt = Number.NaN;
  schedule(
    () => {
      openedAt = performance.now();
    },
    delayMs,
    attempt,
  );
  await vi.advanceTimersToNextTimerAsync();
  return openedAt - begunAt;
}

test('both attempts at a server that died are made within a second', async () => {
  const schedule = createReopening();
  expect((await reopen(schedule, 150, 0)) + (await reopen(schedule, 300, 1))).toBeLessThan(1_000);
});

test('a server that ends each stream at once is asked ever more rarely, and a calm one soon again', async () => {
  const schedule = createReopening();
  const waits: number[] = [];
  for (let count = 0; count < 12; count += 1) waits.push(await reopen(schedule, 0, 0));
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits.at(-1)).toBe(60_000);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(await reopen(schedule, 0, 0)).toBe(60_000);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(await reopen(schedule, 0, 0)).toBe(waits[0]);
});

test('the time that a server asks for is kept', async () => {
  expect(await reopen(createReopening(), 5_000, 0)).toBe(5_000);
});
