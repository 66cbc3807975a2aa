// On both databases: notifications.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import type { Database } from '../../src/data/database/database.ts';
import { rotateValues } from '../../src/data/keys/key-rotation.ts';
import { createMemory, type Memory } from '../../src/data/memory/memory.ts';
import { createStore, type Store } from '../../src/data/store.ts';
import { SYSTEM, type Viewer } from '../../src/policy/viewer.ts';
import { onMainDatabase } from '../setup/database.ts';
import { sealText } from '../setup/sealed-text.ts';
import {
  configColumns,
  createUser,
  openSealedDatabase,
  type SealedDatabase,
  tokenColumns,
} from './encryption-setup.ts';
import { promoteNewKey } from './key-rotation-setup.ts';

const ADMIN: Viewer = { kind: 'user', userId: crypto.randomUUID(), role: 'admin', credential: { kind: 'bootstrap' } };
const MEMBER: Viewer = { ...ADMIN, role: 'member' };

/** For what does not depend on the database. */
const testOnMain = test.runIf(onMainDatabase);

let sealed: SealedDatabase;
let stored: Store;
const opened: Memory[] = [];

beforeAll(async () => {
  sealed = await openSealedDatabase();
  stored = createStore(sealed.prisma);
});
beforeEach(() => sealed.reset());
afterAll(async () => {
  for (const { reader } of opened) await reader.close();
  await sealed?.close();
});

/** A process whose notifications and own writes are simulated. */
async function openMemory(
  database: Partial<Pick<Database, 'listen' | 'writeCount'>> = {},
  store: Store = stored,
): Promise<Memory> {
  const memory = createMemory({
    caches: createCaches(),
    store,
    database: { listen: sealed.database.listen, writeCount: sealed.database.writeCount, ...database },
    onError: () => undefined,
  });
  await memory.reader.start();
  opened.push(memory);
  return memory;
}

/** A process that gets no notifications, and knows it. */
const DEAF = { listen: async () => ({ isConnected: () => false, close: async () => undefined }), writeCount: () => 0 };
/** A process that gets no notifications and does not know: its connection broke silently. */
const SILENT = { ...DEAF, listen: async () => ({ isConnected: () => true, close: async () => undefined }) };

const defineConfig = (columns: object = {}) =>
  sealed.prisma.mcpServerConfig.create({ data: { ...configColumns(), ...columns } });

async function connect(configId: string, userId: string): Promise<void> {
  await sealed.prisma.mcpServerUserToken.create({
    data: { mcpServerConfigId: configId, userId, ...tokenColumns('access', 'refresh') },
  });
}

describe('a process without notifications', () => {
  test('answers each time with what was committed before the request', async () => {
    const { store } = await openMemory(DEAF);
    const { id } = await defineConfig();
    for (let version = 2; version < 40; version += 1) {
      const enabled = version % 2 === 0;
      await sealed.prisma.mcpServerConfig.update({ where: { id }, data: { enabled, version } });
      expect(await store.configs.findById(ADMIN, { id })).toMatchObject({ enabled, version });
      expect(await store.configs.findById(MEMBER, { id })).toEqual(enabled ? expect.anything() : null);
      expect(await store.configs.count(MEMBER, {})).toBe(enabled ? 1 : 0);
    }
  });

  test('notices each change of a connection, a user and a token', async () => {
    const { store } = await openMemory(DEAF);
    const { id: configId } = await defineConfig({ authType: 'oauth2' });
    const user = await createUser(sealed.prisma);
    const kinds = async () => {
      const found = await store.connections.listOfUsers(SYSTEM, { userIds: [user.id], configIds: [configId] });
      return found.get(user.id)?.map((each) => (each.kind === 'connected' ? each.needsMoreScopes : each.reason)) ?? [];
    };
    expect(await kinds()).toEqual([]);
    await connect(configId, user.id);
    expect(await kinds()).toEqual([false]);
    await sealed.prisma.mcpServerUserToken.updateMany({ data: { wantedScopes: ['more'] } });
    expect(await kinds()).toEqual([true]);
    await sealed.prisma.mcpServerUserToken.deleteMany();
    const data = { mcpServerConfigId: configId, userId: user.id, reason: 'first' };
    await sealed.prisma.mcpServerEndedConnection.create({ data });
    expect(await kinds()).toEqual(['first']);
    await sealed.prisma.mcpServerEndedConnection.updateMany({ data: { reason: 'second' } });
    expect(await kinds()).toEqual(['second']);
    await sealed.prisma.mcpServerEndedConnection.deleteMany();
    expect(await kinds()).toEqual([]);

    const tokenHash = 'a'.repeat(64);
    const { id } = await sealed.prisma.apiToken.create({ data: { userId: user.id, name: 't', tokenHash } });
    const find = async () => {
      const found = await store.apiTokens.findByHash(SYSTEM, { tokenHash });
      return found && [found.user.role, found.user.status, found.token.revokedAt !== null];
    };
    expect(await find()).toEqual(['member', 'active', false]);
    await sealed.prisma.user.update({ where: { id: user.id }, data: { role: 'admin' } });
    expect(await find()).toEqual(['admin', 'active', false]);
    await sealed.prisma.user.update({ where: { id: user.id }, data: { status: 'suspended' } });
    expect(await find()).toEqual(['admin', 'suspended', false]);
    expect(await store.sessions.findUser(SYSTEM, { id: user.id })).toMatchObject({ status: 'suspended' });
    await sealed.prisma.apiToken.update({ where: { id }, data: { revokedAt: new Date() } });
    expect(await find()).toEqual(['admin', 'suspended', true]);
    await sealed.prisma.user.delete({ where: { id: user.id } });
    expect(await find()).toBeNull();
    expect(await store.sessions.findUser(SYSTEM, { id: user.id })).toBeNull();
  });

  test('knows which keys are in use after a rotation that is not a change in the feed', async () => {
    const { store, reader } = await openMemory(DEAF);
    const { id } = await defineConfig({ authType: 'api_key', apiKeyHeader: 'x-key', apiKeyValue: sealText('secret') });
    const before = await store.configs.findById(ADMIN, { id });
    const head = reader.head();
    const former = await promoteNewKey(sealed);
    expect(before?.secretKeyDigests).toEqual([former]);
    await rotateValues(sealed.prisma, sealed.keyring);
    const after = await store.configs.findById(ADMIN, { id });
    expect(after).toEqual({ ...before, secretKeyDigests: [sealed.keyring.active.digest] });
    expect(reader.head()).toBe(head);
  });

  test('fails instead of answering from memory when the database does not answer', async () => {
    let isBroken = false;
    const feed: Store['feed'] = {
      ...stored.feed,
      position: Object.assign(
        (...args: Parameters<Store['feed']['position']>) =>
          isBroken ? Promise.reject(new Error('no answer')) : stored.feed.position(...args),
        { action: stored.feed.position.action },
      ),
    };
    const { store } = await openMemory(DEAF, { ...stored, feed });
    const { id } = await defineConfig();
    expect(await store.configs.findById(ADMIN, { id })).not.toBeNull();
    isBroken = true;
    await expect(store.configs.findById(ADMIN, { id })).rejects.toThrow('no answer');
    isBroken = false;
    expect(await store.configs.findById(ADMIN, { id })).not.toBeNull();
  });
});

test('a process whose notifications stop silently notices by itself', async () => {
  const { store } = await openMemory(SILENT);
  const { id } = await defineConfig({ enabled: true });
  await expect.poll(() => store.configs.findById(MEMBER, { id })).not.toBeNull();
  await sealed.prisma.mcpServerConfig.update({ where: { id }, data: { enabled: false, version: { increment: 1 } } });
  await expect.poll(() => store.configs.findById(MEMBER, { id })).toBeNull();
});

test('own writes are in the next answer without waiting for a notification', async () => {
  const { store } = await openMemory({ listen: SILENT.listen });
  const { id } = await defineConfig();
  for (let version = 2; version < 40; version += 1) {
    const change = { where: { id }, data: { version } };
    if (version % 3 === 0) await sealed.prisma.mcpServerConfig.update(change);
    if (version % 3 === 1) await sealed.prisma.$transaction((tx) => tx.mcpServerConfig.update(change));
    if (version % 3 === 2) {
      await sealed.database.query('UPDATE mcp_server_configs SET version = $2 WHERE id = $1::uuid', [id, version]);
    }
    expect(await store.configs.findById(ADMIN, { id })).toMatchObject({ version });
  }
});

test('records in memory are shared and cannot be changed', async () => {
  const { store } = await openMemory();
  const { id } = await defineConfig({ toolDenyList: ['x'] });
  const found = await store.configs.findById(ADMIN, { id });
  expect(() => found?.toolDenyList.push('y')).toThrow(TypeError);
  expect(() => Object.assign(found ?? {}, { enabled: true })).toThrow(TypeError);
});

test('memory is reloaded when the database was restored or replaced', async () => {
  const { store, reader } = await openMemory(DEAF);
  const { id } = await defineConfig();
  expect(await store.configs.findById(ADMIN, { id })).not.toBeNull();
  const [epoch, resets] = [reader.epoch(), reader.resets()];
  await sealed.database.query('TRUNCATE mcp_server_configs CASCADE');
  expect(await store.configs.findById(ADMIN, { id })).toBeNull();
  expect(reader.resets()).toBeGreaterThan(resets);
  expect(reader.epoch()).not.toBe(epoch);

  await defineConfig();
  const later = (await store.configs.list(ADMIN, { first: 5 })).rows;
  expect(later).toHaveLength(1);
  const again = reader.resets();
  await sealed.database.query('UPDATE feed_counter SET n = n - 1');
  await store.configs.list(ADMIN, { first: 5 });
  expect(reader.resets()).toBeGreaterThan(again);
  await sealed.database.query('UPDATE feed_counter SET n = n + 1');
});

describe('the reader of the feed', () => {
  /** The stored feed with a different way to read its position. */
  const withPosition = (position: (args: { withHistory: boolean }) => Promise<unknown>): Store => {
    const told = (_viewer: Viewer, args: { withHistory: boolean }) => position(args);
    const feed = { ...stored.feed, position: Object.assign(told, { action: stored.feed.position.action }) };
    return { ...stored, feed: feed as unknown as Store['feed'] };
  };

  test('waits for callers only if there may be news about callers', async () => {
    let notify: (payload?: string) => void = () => undefined;
    const listen = async (_channel: string, onNotify: typeof notify) => {
      notify = onNotify;
      return { isConnected: () => true, close: async () => undefined };
    };
    const { reader } = await openMemory({ listen, writeCount: () => 0 });
    const settle = async () => {
      await reader.fresh();
      expect([reader.fresh(), reader.freshCallers()]).toEqual([undefined, undefined]);
    };
    await settle();
    notify('17');
    expect(reader.freshCallers()).toBeUndefined();
    expect(reader.fresh()).toBeInstanceOf(Promise);
    await settle();
    for (const payload of ['', undefined]) {
      notify(payload);
      expect(reader.freshCallers()).toBeInstanceOf(Promise);
      await settle();
    }
  });

  test('does not start without a database, but does start with one that does not report its history', async () => {
    const told: boolean[] = [];
    const refusal = { name: 'DriverAdapterError', cause: { originalCode: '42883' } };
    for (const [failure, isGood] of [
      [new Error('no answer'), false],
      [Object.assign(new Error('refused'), { severity: 'FATAL', code: '57P03' }), false],
      [Object.assign(new Error('no such function'), refusal), true],
    ] as const) {
      const store = withPosition(async ({ withHistory }) => {
        told.push(withHistory);
        if (withHistory) throw failure;
        return stored.feed.position(SYSTEM, { withHistory });
      });
      const opening = openMemory(DEAF, store);
      if (isGood) expect((await opening).reader.epoch()).toMatch(/^[0-9a-f-]{36}$/);
      else await expect(opening).rejects.toThrow(failure.message);
    }
    expect(told).toContain(false);
  });

  testOnMain('keeps the newest changes in memory, and reads older ones from the database without configs', async () => {
    const { reader } = await openMemory();
    // Larger than configs can be, so that few changes are too many.
    const { id } = await defineConfig({ description: 'x'.repeat(1_000_000) });
    const start = reader.head();
    for (let version = 2; version < 24; version += 1) {
      await sealed.prisma.mcpServerConfig.update({ where: { id }, data: { version } });
    }
    await reader.fresh();
    const versions: (number | undefined)[] = [];
    let rev = start;
    for (;;) {
      const changes = await reader.readAfter(rev, 7);
      if (changes.length === 0) break;
      for (const change of changes) {
        expect(change.rev).toBe(rev + 1n);
        ({ rev } = change);
        versions.push(change.config?.version);
      }
    }
    const all = Array.from({ length: 22 }, (_, index) => index + 2);
    const inMemory = versions.filter((version) => version !== undefined);
    expect(versions.slice(-inMemory.length)).toEqual(all.slice(-inMemory.length));
    expect(versions.length).toBeGreaterThanOrEqual(all.length);
    expect(inMemory.length).toBeGreaterThan(0);
    expect(inMemory.length).toBeLessThan(all.length);
  });
});

describe('a look at the feed', () => {
  /** Something that others commit between the two queries of a look. */
  const withMeanwhile = (meanwhile: () => Promise<void>): Store => {
    let isDone = false;
    const listAfter = async (...args: Parameters<Store['feed']['listAfter']>) => {
      if (!isDone) {
        isDone = true;
        await meanwhile();
      }
      return stored.feed.listAfter(...args);
    };
    return { ...stored, feed: { ...stored.feed, listAfter: Object.assign(listAfter, stored.feed.listAfter) } };
  };

  test('leaves out changes whose callers are not known yet', async () => {
    const { id } = await defineConfig();
    const user = await createUser(sealed.prisma);
    const bump = (version: number) => sealed.prisma.mcpServerConfig.update({ where: { id }, data: { version } });
    const { reader } = await openMemory(
      DEAF,
      withMeanwhile(async () => {
        await sealed.prisma.user.update({ where: { id: user.id }, data: { role: 'admin' } });
        await bump(3);
      }),
    );
    const [head, callerVersion] = [reader.head(), reader.callerVersion()];
    await bump(2);
    await reader.fresh();
    expect([reader.head(), reader.callerVersion()]).toEqual([head + 1n, callerVersion]);
    expect((await reader.readAfter(head, 10)).map(({ config }) => config?.version)).toEqual([2]);
    await reader.fresh();
    expect(reader.head()).toBe(head + 2n);
    expect(reader.callerVersion()).toBeGreaterThan(callerVersion);
  });

  test('that fails in the middle makes memory read everything anew', async () => {
    const { id } = await defineConfig();
    let isBroken = false;
    const listAfter = async (...args: Parameters<Store['feed']['listAfter']>) =>
      (await stored.feed.listAfter(...args)).map((each) => (isBroken ? { ...each, config: undefined } : each));
    const feed = { ...stored.feed, listAfter: Object.assign(listAfter, stored.feed.listAfter) };
    const { store, reader } = await openMemory(DEAF, { ...stored, feed });
    expect(await store.configs.findById(ADMIN, { id })).toMatchObject({ version: 1 });
    const before = reader.resets();
    isBroken = true;
    await sealed.prisma.mcpServerConfig.update({ where: { id }, data: { version: 2 } });
    expect(await store.configs.findById(ADMIN, { id })).toMatchObject({ version: 2 });
    isBroken = false;
    expect(reader.resets()).toBe(before + 1);
    await sealed.prisma.mcpServerConfig.update({ where: { id }, data: { version: 3 } });
    expect(await store.configs.findById(ADMIN, { id })).toMatchObject({ version: 3 });
  });

  test('reaches the position of another process, even without a notification', async () => {
    const { reader } = await openMemory(SILENT);
    const { id } = await defineConfig();
    const before = reader.head();
    await sealed.prisma.mcpServerConfig.update({ where: { id }, data: { version: 2 } });
    const { rev } = await reader.position();
    expect(rev).toBeGreaterThan(before);
    await reader.reach(rev);
    expect(reader.head()).toBe(rev);
  });
});
