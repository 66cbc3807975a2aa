import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createOperationShares, SHARE_LIMITS } from '../../src/domain/shares/operation-shares.ts';
import type { Viewer } from '../../src/policy/viewer.ts';
import { meterProcessorTime } from '../../src/telemetry/processor-time.ts';

const user = (userId: string): Viewer => ({ kind: 'user', userId, role: 'member', credential: { kind: 'bootstrap' } });
const [BUSY, CALM] = [user('busy'), user('calm')];
const { maxRunning, maxWaiting, processor, maxDebtMs, activeMs } = SHARE_LIMITS;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Shares whose operations cost what the test says. */
function createWorld() {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const shares = createOperationShares({
    clock: () => Date.now(),
    meter: async (charge, work) => {
      charges.push(charge);
      return work();
    },
  });
  const charges: ((ms: number) => void)[] = [];
  return {
    started,
    shares,
    charges,
    /** An operation that uses processor time and is over at once. */
    spend: (viewer: Viewer, ms: number, name = '') =>
      shares.run(viewer, async () => {
        started.push(name);
        charges.at(-1)?.(ms);
      }),
    /** An operation that lasts until `endOne`. */
    hold: (viewer: Viewer, name: string) =>
      shares.run(viewer, () => {
        started.push(name);
        return new Promise<void>((resolve) => ends.push(resolve));
      }),
    async endOne(): Promise<void> {
      ends.shift()?.();
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const names = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('operations of one caller', () => {
  test('run eight at once, the others after them in their order', async () => {
    const { hold, endOne, started } = createWorld();
    const all = names(11, 'a').map((name) => hold(BUSY, name));
    await pass(0);
    expect(started).toEqual(names(maxRunning, 'a'));
    await endOne();
    await endOne();
    expect(started).toEqual(names(maxRunning + 2, 'a'));
    for (const _ of all) await endOne();
    await Promise.all(all);
    expect(started).toEqual(names(11, 'a'));
  });

  test('are refused when too many wait, and accepted again later', async () => {
    const { hold, endOne } = createWorld();
    const all = names(maxRunning + maxWaiting, 'a').map((name) => hold(BUSY, name));
    await expect(hold(BUSY, 'one too many')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await endOne();
    const late = hold(BUSY, 'late');
    for (const _ of [...all, late]) await endOne();
    await expect(Promise.all([...all, late])).resolves.toBeDefined();
  });

  test('do not delay those of another caller', async () => {
    const { hold, endOne, started } = createWorld();
    const all = names(100, 'a').map((name) => hold(BUSY, name));
    const other = hold(CALM, 'other');
    await pass(0);
    expect(started).toContain('other');
    for (const _ of [...all, other]) await endOne();
  });

  test('that fail leave their place', async () => {
    const { shares, spend } = createWorld();
    for (let round = 0; round < 2 * maxRunning; round += 1) {
      await expect(shares.run(BUSY, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    }
    await expect(spend(BUSY, 0)).resolves.toBeUndefined();
  });
});

describe('a caller who has used up their processor time', () => {
  test('waits until they have some again, while others are active', async () => {
    const { spend, started } = createWorld();
    await spend(CALM, 1);
    await spend(BUSY, processor.capacity + 100);
    const next = spend(BUSY, 0, 'next');
    await spend(CALM, 1, 'calm');
    expect(started.at(-1)).toBe('calm');
    await pass(190);
    expect(started.at(-1)).toBe('calm');
    await pass(20);
    await next;
    expect(started.at(-1)).toBe('next');
  });

  test.each(['succeeds', 'fails'])(
    'is charged a known price in place of what is measured, if the operation %s',
    async (how) => {
      const { shares, spend, hold, started, charges } = createWorld();
      void hold(CALM, 'calm');
      const work = async () => {
        if (how === 'fails') throw new Error('as it should');
        return 'done';
      };
      const price = 2 * processor.capacity;
      const ran = shares.run(BUSY, work, (result) => ((result === 'done') === (how === 'succeeds') ? price : 0));
      expect(await ran.catch(() => 'failed')).toBe(how === 'fails' ? 'failed' : 'done');
      expect(charges).toHaveLength(1);
      void spend(BUSY, 0, 'late');
      await pass(0);
      expect(started).toEqual(['calm']);
      await pass(60_000);
      expect(started).toEqual(['calm', 'late']);
    },
  );

  test('does not wait while nobody else is active', async () => {
    const { spend } = createWorld();
    await spend(CALM, 1);
    await pass(activeMs);
    for (let round = 0; round < 20; round += 1) await spend(BUSY, 10_000);
  });

  test('waits about a second at most for one operation, however long it was', async () => {
    const { spend, started } = createWorld();
    await spend(CALM, 1);
    await spend(BUSY, 1_000_000);
    const next = spend(BUSY, 0, 'next');
    await pass((maxDebtMs / processor.perSecond) * 1_000 + 10);
    await next;
    expect(started.at(-1)).toBe('next');
  });

  test('gets half of the processor in the long run', async () => {
    const { spend } = createWorld();
    let spent = 0;
    const work = async (): Promise<void> => {
      for (;;) {
        await spend(BUSY, 50);
        spent += 50;
      }
    };
    await spend(CALM, 1);
    void work();
    for (let round = 0; round < 100; round += 1) {
      await pass(100);
      await spend(CALM, 1);
    }
    expect(spent).toBeGreaterThan(4_500);
    expect(spent).toBeLessThan(6_500);
  });
});

test('processor time is that of the work itself, also after it waited, and not of others meanwhile', async () => {
  vi.useRealTimers();
  const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
  const compute = () => {
    const endsAt = performance.now() + 60;
    while (performance.now() < endsAt);
  };
  const spent = { busy: 0, calm: 0 };
  const busy = async () => {
    compute();
    await turn();
    compute();
    await Promise.all([1, 2].map(async () => compute()));
  };
  const calm = async () => {
    for (let round = 0; round < 5; round += 1) await turn();
  };
  const charge = (name: keyof typeof spent) => (ms: number) => {
    spent[name] += ms;
  };
  await Promise.all([
    meterProcessorTime(charge('calm'), calm),
    meterProcessorTime(charge('busy'), busy),
    meterProcessorTime(charge('calm'), calm),
  ]);
  expect(spent.busy).toBeGreaterThanOrEqual(239);
  expect(spent.calm).toBeLessThan(spent.busy / 2);
});
