import { expect, test } from 'vitest';
import { createListingPlaces } from '../../src/domain/catalogue/listing-places.ts';

/** A listing that ends when its signal aborts. */
const hang = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('a listing that takes long gives its place to the next one, and goes on', async () => {
  const places = createListingPlaces({ atOnce: 1, slow: 1, patienceMs: 1 });
  let finish: (value: string) => void = () => undefined;
  const slow = places.run('slow', () => new Promise<string>((resolve) => (finish = resolve)));
  expect(await places.run('quick', async () => 'quick')).toBe('quick');
  finish('slow');
  expect(await slow).toBe('slow');
});

test('servers that never answer, however many, do not hold up the others: the oldest attempts end', async () => {
  const places = createListingPlaces({ atOnce: 2, slow: 3, patienceMs: 1 });
  const ended: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    places.run(`hanging-${index}`, hang).catch(({ problem }) => {
      expect(problem).toBe('BUSY');
      ended.push(index);
    });
  }
  const quick = Array.from({ length: 5 }, (_, index) => places.run(`quick-${index}`, async () => index));
  expect(await Promise.all(quick)).toEqual([0, 1, 2, 3, 4]);
  // At the end, as many go on as there is room for.
  await expect.poll(() => ended.length).toBe(17);
  expect(ended).toEqual([...ended].sort((a, b) => a - b));
});

test('no more run at once than there are places and room beside them', async () => {
  const places = createListingPlaces({ atOnce: 2, slow: 3, patienceMs: 1 });
  let running = 0;
  let most = 0;
  const all = Array.from({ length: 20 }, (_, index) =>
    places
      .run(`hanging-${index}`, async (signal) => {
        running += 1;
        most = Math.max(most, running);
        await hang(signal).finally(() => {
          running -= 1;
        });
      })
      .catch(() => undefined),
  );
  await Promise.all(all.slice(0, 17));
  expect(most).toBeLessThanOrEqual(5);
});

test('one server with many users delays the others no more than one with a single user', async () => {
  const places = createListingPlaces({ atOnce: 1, slow: 1, patienceMs: 60_000 });
  const order: string[] = [];
  const run = (server: string) => places.run(server, async () => void order.push(server));
  await Promise.all([run('many'), run('many'), run('many'), run('many'), run('one')]);
  expect(order).toEqual(['many', 'many', 'one', 'many', 'many']);
});
