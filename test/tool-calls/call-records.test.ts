import { expect, test, vi } from 'vitest';
import type { Store } from '../../src/data/store.ts';
import { createCallRecords } from '../../src/domain/tool-calls/call-records.ts';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { SYSTEM } from '../../src/policy/viewer.ts';

const MAX_WAITING = CONNECTION_LIMITS.waitingCallRecords.value;

const config = { id: 'c', slug: 's' };
const asked = { kind: 'tool', name: 't', arguments: {} } as const;
const CALL = {
  viewer: SYSTEM,
  userId: 'u',
  chatId: undefined,
  config,
  asked,
  outcome: 'success',
  code: undefined,
} as const;

/** Records whose transactions tell how many entries they wrote. @param held what the first ones wait for */
function createWorld(held: Promise<void> = Promise.resolve()) {
  const sizes: number[] = [];
  const transaction = async (work: (tx: unknown) => Promise<unknown>) => {
    await held;
    const appendAll = async (_viewer: unknown, { entries }: { entries: readonly unknown[] }): Promise<void> => {
      sizes.push(entries.length);
    };
    await work({ audit: { appendAll } });
  };
  const records = createCallRecords({
    store: { transaction } as unknown as Store,
    audits: 'all',
    usage: { count: () => undefined },
    onCall: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  return { sizes, record: () => records.record({ ...CALL, bytes: 1, ms: 1 }), settle: records.settle };
}

test('calls that end soon after each other share a transaction, and whoever needs their entries does not wait for more', async () => {
  vi.useFakeTimers();
  try {
    const { sizes, record, settle } = createWorld();
    for (const _ of [1, 2, 3]) await record();
    expect(sizes).toEqual([]);
    await vi.advanceTimersToNextTimerAsync();
    expect(sizes).toEqual([3]);
    await record();
    await settle();
    expect(sizes).toEqual([3, 1]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a flood of calls leaves the log to others again and again, and loses no entry', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { sizes, record, settle } = createWorld(held);
  let ended = 0;
  const calls = Array.from({ length: MAX_WAITING + 100 }, () =>
    record().then(() => {
      ended += 1;
    }),
  );
  await new Promise(setImmediate);
  // The rest waits until there is room.
  expect(ended).toBeGreaterThanOrEqual(MAX_WAITING - 1);
  expect(ended).toBeLessThan(calls.length);
  release();
  await Promise.all(calls);
  await settle();
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(calls.length);
  expect(Math.max(...sizes)).toBe(50);
});
