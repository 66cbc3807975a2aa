// On both databases: the order of names, which must not depend on the database's collation.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import { createChatReads } from '../../src/data/memory/chat-reads.ts';
import { sortConfigs } from '../../src/data/memory/config-order.ts';
import { createMemory, type Memory } from '../../src/data/memory/memory.ts';
import { CONFIG_ORDERS, type ConfigPlace, toPlaceOf } from '../../src/data/repositories/config-repository.ts';
import { createStore, type Store } from '../../src/data/store.ts';
import type { Viewer } from '../../src/policy/viewer.ts';
import { onMainDatabase } from '../setup/database.ts';
import { sealText } from '../setup/sealed-text.ts';
import { configColumns, createUser, openSealedDatabase, type SealedDatabase } from './encryption-setup.ts';

const ADMIN: Viewer = { kind: 'user', userId: crypto.randomUUID(), role: 'admin', credential: { kind: 'bootstrap' } };
const MEMBER: Viewer = { ...ADMIN, role: 'member' };

let sealed: SealedDatabase;
let stored: Store;
let memory: Memory;

beforeAll(async () => {
  sealed = await openSealedDatabase();
  await sealed.reset();
  stored = createStore(sealed.prisma);
  memory = createMemory({ caches: createCaches(), store: stored, database: sealed.database, onError: () => undefined });
  await memory.reader.start();
});
afterAll(async () => {
  await memory?.reader.close();
  await sealed?.close();
});

const defineConfig = (columns: object = {}) =>
  sealed.prisma.mcpServerConfig.create({ data: { ...configColumns(), ...columns } });

test('chats that are asked for at the same moment are read together, and each viewer gets only what they may read', async () => {
  let statements = 0;
  const findByIds = Object.assign(
    (...args: Parameters<Store['chats']['findByIds']>) => {
      statements += 1;
      return stored.chats.findByIds(...args);
    },
    { action: stored.chats.findByIds.action },
  );
  const { findById } = createChatReads({ findByIds });
  const users = [await createUser(sealed.prisma), await createUser(sealed.prisma)];
  const viewers = users.map(({ id }): Viewer => ({ ...ADMIN, userId: id, role: 'member' }));
  const chats = await Promise.all(
    users.map(({ id: ownerId }) =>
      sealed.prisma.chat.create({ data: { ownerId, title: 'é', mcpServerIds: [ownerId] } }),
    ),
  );
  const asked = chats.flatMap(({ id }) => [id, id.toUpperCase(), crypto.randomUUID()]);
  const pairs = viewers.flatMap((viewer) => asked.map((id) => ({ viewer, id })));
  const found = await Promise.all(pairs.map(({ viewer, id }) => findById(viewer, { id })));
  expect(statements).toBe(1);
  for (const [index, { viewer, id }] of pairs.entries()) {
    expect(found[index]).toEqual(await stored.chats.findById(viewer, { id }));
  }
  expect(found.filter((each) => each !== null)).toHaveLength(4);
});

test('memory equals the database in content and order after any changes', async () => {
  const { store } = memory;
  const names = ['b', 'B', 'é', 'Zebra', 'a\u{10ffff}', 'a\u{ffee}', '🦓', 'x', 'z10', 'z9', 'a b', '%_\\'];
  const ids: string[] = [];
  const random = createRandom(20_261_124);
  for (let step = 0; step < (onMainDatabase ? 150 : 51); step += 1) {
    const id = ids[random(ids.length)];
    const action = ids.length < 8 ? 0 : random(4);
    if (action === 0 || id === undefined) {
      const displayName = `${names[random(names.length)]}`;
      const enabled = random(2) === 0;
      const more = [
        {},
        { authType: 'api_key', apiKeyHeader: 'x', apiKeyValue: sealText('y') },
        { availability: 'force_on' },
      ];
      // Some have the same times.
      const times = { createdAt: new Date(random(3)), updatedAt: new Date(random(3)) };
      const columns = { displayName, enabled, toolDenyList: ['x', 'y'], ...times, ...more[random(3)] };
      ids.push((await defineConfig(columns)).id);
    } else if (action === 1) {
      await sealed.prisma.mcpServerConfig.delete({ where: { id } });
      ids.splice(ids.indexOf(id), 1);
    } else {
      const data = { displayName: `${names[random(names.length)]}`, enabled: random(2) === 0 };
      await sealed.prisma.mcpServerConfig.update({ where: { id }, data: { ...data, version: { increment: 1 } } });
    }
    const configs = await memory.configs();
    for (const order of CONFIG_ORDERS) {
      const sorted = sortConfigs(configs.all(), order);
      expect(configs.all(order)).toEqual(sorted);
      expect(configs.enabled(order)).toEqual(sorted.filter(({ enabled }) => enabled));
    }
    if (step % 25 !== 0) continue;
    for (const viewer of [ADMIN, MEMBER]) {
      for (const { filter, order } of LISTS) {
        expect(await store.configs.count(viewer, { filter })).toBe(await stored.configs.count(viewer, { filter }));
        let after: ConfigPlace | undefined;
        for (let hasMore = true; hasMore; ) {
          const page = await store.configs.list(viewer, { first: 4, after, filter, order });
          expect(page, order).toEqual(await stored.configs.list(viewer, { first: 4, after, filter, order }));
          const last = page.rows.at(-1);
          after = last && toPlaceOf(last, order);
          ({ hasMore } = page);
        }
      }
      const forChats = { ids: ids.slice(0, 5) };
      expect(await store.configs.listVisible(viewer, {})).toEqual(await stored.configs.listVisible(viewer, {}));
      expect(await store.configs.listForChats(viewer, forChats)).toEqual(
        await stored.configs.listForChats(viewer, forChats),
      );
      for (const each of ids.slice(0, 5)) {
        const found = await stored.configs.findById(viewer, { id: each });
        expect(await store.configs.findById(viewer, { id: each.toUpperCase() })).toEqual(found);
        if (found !== null) expect(await store.configs.findBySlug(viewer, found)).toEqual(found);
      }
    }
  }
});

const FILTERS = [
  { search: 'z' },
  { search: 'A ' },
  { search: '%_' },
  { enabled: false },
  { availability: 'force_on' },
] as const;
const LISTS = [
  ...FILTERS.map((filter) => ({ filter, order: 'name_asc' as const })),
  ...CONFIG_ORDERS.map((order) => ({ filter: {}, order })),
];

/** Reproducible random numbers (mulberry32). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % Math.max(below, 1);
  };
}
