import { expect, test } from 'vitest';
import { createStrangerPlaces } from '../../src/http/stranger-places.ts';

function createWorld() {
  const places = createStrangerPlaces({ maxTotal: 6, maxPerNetwork: 3 });
  const evicted: string[] = [];
  return { places, evicted, take: (network: string, name: string) => places.take(network, () => evicted.push(name)) };
}

test('a full network makes room with its own oldest silent connection', () => {
  const { take, evicted } = createWorld();
  take('b', 'b1');
  const [first] = ['a1', 'a2', 'a3'].map((name) => take('a', name));
  first?.speak();
  take('a', 'a4');
  take('a', 'a5');
  expect(evicted).toEqual(['a2', 'a3']);
});

test('when all places are taken, the network with the most makes room', () => {
  const { take, evicted } = createWorld();
  for (const name of ['a1', 'a2', 'a3']) take('a', name);
  for (const name of ['b1', 'b2']) take('b', name);
  take('c', 'c1');
  take('d', 'd1');
  take('e', 'e1');
  expect(evicted[0]).toBe('a1');
  expect(evicted[1]).toMatch(/^[ab]/);
  expect(evicted).toHaveLength(2);
});

test('nobody who is being identified makes room, so others are refused', () => {
  const { places, take, evicted } = createWorld();
  for (const name of ['a1', 'a2', 'a3']) take('a', name).speak();
  expect([places.hasRoom('a'), places.hasRoom('b')]).toEqual([false, true]);
  expect(() => take('a', 'a4')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  expect(evicted).toEqual([]);
});

test('a place that is given back can be taken again, and only once', () => {
  const { take, evicted } = createWorld();
  const all = ['a1', 'a2', 'a3'].map((name) => take('a', name));
  all[0]?.leave();
  all[0]?.leave();
  take('a', 'a4');
  expect(evicted).toEqual([]);
  take('a', 'a5');
  expect(evicted).toEqual(['a2']);
});
