import { expect, test } from 'vitest';
import type { Store } from '../../src/data/store.ts';
import { createCallRecords } from '../../src/domain/tool-calls/call-records.ts';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { SYSTEM } from '../../src/policy/viewer.ts';

const MAX_WAITING = CONNECTION_LIMITS.waitingCallRecords.value;

test('a flood of calls leaves the log to others again and again, and loses no entry', async () => {
  /** How many entries each transaction wrote. The first one is held. */
  const sizes: number[] = [];
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
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
  const config = { id: 'c', slug: 's' };
  const call = { viewer: SYSTEM, userId: 'u', chatId: undefined, config, code: undefined, bytes: 1, ms: 1 };
  const asked = { kind: 'tool', name: 't', arguments: {} } as const;
  let ended = 0;
  const calls = Array.from({ length: MAX_WAITING + 100 }, () =>
    records.record({ ...call, asked, outcome: 'success' }).then(() => {
      ended += 1;
    }),
  );
  await new Promise(setImmediate);
  // The rest waits until there is room.
  expect(ended).toBeGreaterThanOrEqual(MAX_WAITING - 1);
  expect(ended).toBeLessThan(calls.length);
  release();
  await Promise.all(calls);
  await records.settle();
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(calls.length);
  expect(Math.max(...sizes)).toBe(50);
});
