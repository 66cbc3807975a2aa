import { expect, test } from 'vitest';
import { createFairSemaphore } from '../../src/domain/shares/fair-semaphore.ts';

const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

test('admits so many at once, and those who wait user by user in turn', async () => {
  const { acquire } = createFairSemaphore(2);
  const admitted: string[] = [];
  const releases: (() => void)[] = [];
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) {
    void acquire(name.charAt(0)).then((release) => {
      admitted.push(name);
      releases.push(release);
    });
  }
  await settle();
  expect(admitted).toEqual(['a1', 'a2']);
  while (releases.length > 0) {
    releases.shift()?.();
    await settle();
  }
  expect(admitted).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2']);
});

test('admits at once when nobody holds it any more', async () => {
  const { acquire } = createFairSemaphore(1);
  for (let round = 0; round < 3; round += 1) (await acquire('a'))();
  await expect(acquire('b')).resolves.toBeTypeOf('function');
});
