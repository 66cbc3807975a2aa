import { expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import { estimateBytes } from '../../src/cache/estimate-bytes.ts';

/** The map's own cost of an entry. */
const ENTRY = 100;

const createMap = (maxEntries: number, maxBytes: number) =>
  createCaches().createMap<string, number>({ name: 'test', maxEntries, maxBytes }, (_key, bytes) => bytes);

test('a full map evicts what was not used for the longest time', () => {
  const map = createMap(3, 1_000_000);
  for (const key of ['a', 'b', 'c']) map.set(key, 1);
  map.get('a');
  map.set('d', 1);
  expect(['a', 'b', 'c', 'd'].filter((key) => map.get(key) !== undefined)).toEqual(['a', 'c', 'd']);
});

test('a map counts the bytes of its entries, and evicts enough for a large one', () => {
  const map = createMap(100, 1_000);
  for (const key of ['a', 'b', 'c']) map.set(key, 200);
  expect(map.status()).toEqual({
    name: 'test',
    maxEntries: 100,
    maxBytes: 1_000,
    entries: 3,
    bytes: 3 * (200 + ENTRY),
  });
  map.set('d', 500);
  expect(['a', 'b', 'c', 'd'].filter((key) => map.get(key) !== undefined)).toEqual(['c', 'd']);
  expect(map.status()).toMatchObject({ entries: 2, bytes: 700 + 2 * ENTRY });
});

test('replaced, deleted and cleared entries are not counted any more', () => {
  const map = createMap(100, 1_000);
  map.set('a', 500);
  map.set('a', 100);
  expect(map.status().bytes).toBe(100 + ENTRY);
  expect(map.delete('a')).toBe(true);
  expect(map.delete('a')).toBe(false);
  map.set('b', 1);
  map.clear();
  expect(map.status()).toMatchObject({ entries: 0, bytes: 0 });
});

test('an entry that is larger than the whole map evicts nothing and is not kept', () => {
  const map = createMap(100, 1_000);
  map.set('a', 1);
  map.set('b', 1_000);
  expect(map.get('a')).toBe(1);
  expect(map.get('b')).toBeUndefined();
});

const createPromiseCache = () =>
  createCaches().createPromiseCache<string, string | null>(
    { name: 'test', maxEntries: 2, maxBytes: 10_000 },
    (key, value) => estimateBytes(key) + estimateBytes(value),
    (value) => value !== null,
  );

test('those who ask for the same at the same time share the work', async () => {
  const cache = createPromiseCache();
  let runs = 0;
  const work = async () => `run ${++runs}`;
  expect(await Promise.all([cache.getOrStart('a', work), cache.getOrStart('a', work)])).toEqual(['run 1', 'run 1']);
  expect(await cache.getOrStart('a', work)).toBe('run 1');
  expect(cache.getKept('a')).toBe('run 1');
});

test('what is in progress, fails, or is not worth keeping evicts nothing', async () => {
  const cache = createPromiseCache();
  await cache.getOrStart('a', async () => 'a');
  await cache.getOrStart('b', async () => 'b');
  for (let index = 0; index < 10; index += 1) await cache.getOrStart(`miss ${index}`, async () => null);
  await expect(cache.getOrStart('c', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  void cache.getOrStart('d', () => new Promise<never>(() => undefined));
  expect(await cache.get('a')).toBe('a');
  expect(await cache.get('b')).toBe('b');
  expect(cache.status().entries).toBe(2);
  // Asked again, a miss is looked up again.
  expect(await cache.getOrStart('miss 0', async () => 'found')).toBe('found');
});

test('a result that arrives after its key was forgotten is not kept', async () => {
  for (const forget of ['delete', 'clear'] as const) {
    const cache = createPromiseCache();
    let finish: (value: string) => void = () => undefined;
    const slow = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const old = cache.getOrStart('a', () => slow);
    cache[forget]('a');
    const renewed = cache.getOrStart('a', async () => 'new');
    finish('old');
    expect([await old, await renewed, await cache.get('a')]).toEqual(['old', 'new', 'new']);
  }
});

test('two caches of a gateway cannot have the same name', () => {
  const caches = createCaches();
  const bounds = { name: 'twice', maxEntries: 1, maxBytes: 1 };
  caches.createMap(bounds, () => 1);
  expect(() => caches.createMap(bounds, () => 1)).toThrow('twice');
});

test('an estimate covers what is in the value', () => {
  const large = 'x'.repeat(1_000);
  for (const value of [
    large,
    [large],
    { a: { b: [large] } },
    { [large]: large, date: new Date() },
    Buffer.alloc(2_000),
  ]) {
    expect(estimateBytes(value)).toBeGreaterThanOrEqual(2_000);
  }
  expect(estimateBytes(null)).toBeLessThan(100);
});
