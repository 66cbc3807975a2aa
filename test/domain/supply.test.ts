import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { iterate, NOTHING_YET, OVER, type Step, settled, toSupply } from '../../src/domain/feed/supply.ts';

const one = { value: 1 };
const two = { value: 2 };

test('what is there is taken without a promise, and what must be waited for with one', async () => {
  const supply = toSupply<object>(
    (function* () {
      yield one;
      yield { got: yield* settled(Promise.resolve(two)) };
    })(),
  );
  expect(supply.take()).toBe(one);
  const later = supply.take();
  expect(later).toBeInstanceOf(Promise);
  expect(await later).toEqual({ got: two });
  expect(supply.take()).toBe(OVER);
  expect(supply.take()).toBe(OVER);
});

test('thousands of promises in a row are not kept until the last', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  const measure = async (): Promise<number> => {
    await turn();
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await measure();
  let turns = 0;
  const pending = new Promise(() => undefined);
  const supplies = Array.from({ length: 50 }, () =>
    toSupply<object>(
      (function* () {
        for (let index = 0; index < 1_000; index += 1) yield Promise.resolve();
        turns += 1;
        yield pending;
      })(),
    ),
  );
  const waiting = supplies.map((supply) => supply.take());
  while (turns < supplies.length) await turn();
  // Each in the next, they took a hundred bytes each: 5 MB.
  expect((await measure()) - before).toBeLessThan(2_000_000);
  expect([...waiting, pending]).toHaveLength(51);
});

test('a failed promise is thrown where it was waited for', async () => {
  const supply = toSupply<object>(
    (function* (): Generator<Step<object>, void, unknown> {
      try {
        yield Promise.reject(new Error('first'));
      } catch (error) {
        yield error as Error;
      }
      yield Promise.reject(new Error('second'));
    })(),
  );
  expect(await supply.take()).toEqual(new Error('first'));
  await expect(supply.take()).rejects.toThrow('second');
  expect(supply.take()).toBe(OVER);
});

test('who found nothing is called when there may be more', () => {
  let more: (() => void) | undefined;
  const supply = toSupply<object>(
    (function* () {
      yield (callback: () => void) => {
        more = callback;
      };
      yield one;
    })(),
  );
  expect(supply.take()).toBe(NOTHING_YET);
  const onReady = vi.fn();
  supply.onReady(onReady);
  more?.();
  expect(onReady).toHaveBeenCalledOnce();
  expect(supply.take()).toBe(one);
});

test('a closed supply is over, also for who waits for it', async () => {
  const supply = toSupply<object>(
    (function* () {
      yield Promise.resolve();
      yield one;
    })(),
  );
  const waiting = supply.take();
  supply.close();
  expect(await waiting).toBe(OVER);
});

test('an iterator waits for what is not there yet, and closes the supply', async () => {
  const ended = vi.fn();
  const supply = toSupply<object>(
    (function* (): Generator<Step<object>, void, unknown> {
      try {
        yield (callback: () => void) => void setImmediate(callback);
        yield one;
        yield Promise.resolve();
        yield two;
      } finally {
        ended();
      }
    })(),
  );
  const taken: object[] = [];
  for await (const each of iterate(supply)) {
    taken.push(each);
    if (each === two) break;
  }
  expect(taken).toEqual([one, two]);
  expect(ended).toHaveBeenCalledOnce();
});
