import { expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import type { Store } from '../../src/data/store.ts';
import { createDenialSources } from '../../src/domain/audit/denial-sources.ts';
import { createGuessLimit } from '../../src/domain/credentials/guess-limit.ts';
import { createOperationShares } from '../../src/domain/shares/operation-shares.ts';
import { CACHE_BOUNDS } from '../../src/limits/cache-bounds.ts';
import { createPrivateHosts } from '../../src/outbound/private-hosts.ts';
import { NOBODY, type Viewer } from '../../src/policy/viewer.ts';
import { runInRequest } from '../../src/telemetry/request-scope.ts';

const user = (userId: string): Viewer => ({ kind: 'user', userId, role: 'member', credential: { kind: 'bootstrap' } });
const addressOf = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
const from = <Result>(index: number, work: () => Result): Result =>
  runInRequest({ requestId: 'r', address: addressOf(index) }, work);

test('shares are limited in number: beyond that, further callers have one together', async () => {
  const { maxEntries, maxBytes } = CACHE_BOUNDS.shares;
  const shares = createOperationShares({ clock: () => 0, meter: async (_charge, work) => work() });
  const callers = Array.from({ length: maxEntries + 100 }, (_, index) => index);
  const run = (index: number) =>
    from(index, () => shares.run(index % 2 === 0 ? NOBODY : user(`u${index}`), async () => index));
  expect(await Promise.all(callers.map(run))).toEqual(callers);
  expect(shares.status().entries).toBe(maxEntries);
  expect(shares.status().bytes).toBeLessThanOrEqual(maxBytes);
});

test('networks that guess are limited in number: beyond that, further ones share one limit', async () => {
  const { maxEntries, maxBytes, name } = CACHE_BOUNDS.guessingNetworks;
  const caches = createCaches();
  let at = 0;
  const rateCounts = { add: async () => ({ points: 0, endsAt: new Date(60_000) }), sweep: async () => undefined };
  const store = { rateCounts } as unknown as Pick<Store, 'rateCounts'>;
  const guesses = createGuessLimit({ caches, store, perMinute: 100, now: () => new Date(at) });
  const guess = (index: number) =>
    from(index, () =>
      guesses
        .attempt('wrong', async () => false, Boolean)
        .then(
          () => 'tried',
          () => 'refused',
        ),
    );
  const outcomes: string[] = [];
  for (let index = 0; index < maxEntries + 200; index += 1) outcomes.push(await guess(index));
  const status = caches.status().find((cache) => cache.name === name);
  expect(status?.entries).toBe(maxEntries);
  expect(status?.bytes).toBeLessThanOrEqual(maxBytes);
  // Those beyond the limit share 100 guesses, and the others keep their own.
  expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(101);
  expect(await guess(0)).toBe('tried');
  // What is forgotten makes room.
  at = 61_000;
  await guess(maxEntries + 1_000);
  expect(caches.status().find((cache) => cache.name === name)?.entries).toBeLessThan(maxEntries / 2);
});

test('refusals to count are limited in number: beyond that, there is still one entry for each kind', () => {
  const maxKinds = 50;
  const sources = createDenialSources(maxKinds);
  const count = (index: number, operation: string) =>
    from(index, () => sources.count(user(`u${index}`), { operation, code: 'FORBIDDEN' }, 0));
  for (let index = 0; index < 30; index += 1) {
    for (const operation of ['a', 'b']) expect(count(index, operation).source.isShared).toBe(index >= 25);
  }
  expect(sources.status().entries).toBe(maxKinds + 2);
  // Known kinds are counted where they were.
  expect(count(0, 'a')).toMatchObject({ isFirst: false, source: { isShared: false } });
  // A new kind of a known caller is not lost, though it is counted with those of others.
  expect(count(0, 'c')).toMatchObject({ isFirst: true, source: { isShared: true } });
  expect(count(29, 'c')).toMatchObject({ isFirst: false, kind: { count: 2 } });
  // What is forgotten makes room.
  for (const { kinds } of sources.all()) for (const kind of kinds.values()) kind.count = 0;
  sources.sweep(100 * 60 * 60_000);
  expect(sources.status().entries).toBe(0);
  expect(count(40, 'a').source.isShared).toBe(false);
});

test('names of hosts are limited in number: those that were not used for longest are looked up again', async () => {
  const { maxEntries, maxBytes } = CACHE_BOUNDS.hosts;
  const cidr = {
    kind: 'cidr',
    address: (await import('ipaddr.js')).default.parse('10.0.0.0'),
    prefixLength: 8,
  } as const;
  const hosts = createPrivateHosts([cidr], async () => ['10.0.0.1']);
  for (let index = 0; index < maxEntries + 10; index += 1) await hosts.resolve([`http://host${index}.internal/mcp`]);
  expect(hosts.status()).toMatchObject({ entries: maxEntries });
  expect(hosts.status().bytes).toBeLessThanOrEqual(maxBytes);
  const isAllowed = (index: number) => hosts.isAllowed(new URL(`http://host${index}.internal/mcp`));
  expect([isAllowed(9), isAllowed(10), isAllowed(maxEntries + 9)]).toEqual([false, true, true]);
});
