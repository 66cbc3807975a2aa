// On both databases: triggers.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import { rotateValues } from '../../src/data/keys/key-rotation.ts';
import { createMemory, type Memory } from '../../src/data/memory/memory.ts';
import { createStore } from '../../src/data/store.ts';
import { SYSTEM, type Viewer } from '../../src/policy/viewer.ts';
import { sealText } from '../setup/sealed-text.ts';
import {
  configColumns,
  createUser,
  openSealedDatabase,
  type SealedDatabase,
  tokenColumns,
} from './encryption-setup.ts';
import { promoteNewKey } from './key-rotation-setup.ts';

// Configs are the largest part of what a process remembers. Users, credentials and connections change all the time.

const ADMIN: Viewer = { kind: 'user', userId: crypto.randomUUID(), role: 'admin', credential: { kind: 'bootstrap' } };
const HASH = 'a'.repeat(64);

let sealed: SealedDatabase;
let memory: Memory;
/** How often all configs were read from the database. */
let loads = 0;

beforeAll(async () => {
  sealed = await openSealedDatabase();
  const stored = createStore(sealed.prisma);
  const atOneMoment: typeof stored.atOneMoment = (work) => {
    loads += 1;
    return stored.atOneMoment(work);
  };
  memory = createMemory({
    caches: createCaches(),
    store: { ...stored, atOneMoment },
    // A process that gets no notifications reads the counters each time.
    database: {
      listen: async () => ({ isConnected: () => false, close: async () => undefined }),
      writeCount: () => 0,
    },
    onError: () => undefined,
  });
  await memory.reader.start();
});
beforeEach(() => sealed.reset());
afterAll(async () => {
  await memory?.reader.close();
  await sealed?.close();
});

/** Reads the configs. @returns whether they were read from the database, all of them */
async function isLoaded(): Promise<boolean> {
  const before = loads;
  await memory.configs();
  return loads > before;
}

const countConnections = async (userId: string) =>
  (await memory.store.connections.listOfUsers(SYSTEM, { userIds: [userId] })).get(userId)?.length ?? 0;

test('configs stay in memory while users, credentials and connections change, which are told at once', async () => {
  const { prisma } = sealed;
  const { id: mcpServerConfigId } = await prisma.mcpServerConfig.create({ data: configColumns() });
  const { id: userId } = await createUser(prisma);
  await memory.configs();
  const find = async () => (await memory.store.apiTokens.findByHash(SYSTEM, { tokenHash: HASH }))?.user.role;
  const version = memory.reader.callerVersion();

  await prisma.apiToken.create({ data: { userId, name: 't', tokenHash: HASH } });
  expect(await find()).toBe('member');
  await prisma.user.update({ where: { id: userId }, data: { role: 'auditor' } });
  expect(await find()).toBe('auditor');
  await prisma.apiToken.deleteMany();
  expect(await find()).toBeUndefined();
  const session = { userId, tokenHash: HASH, expiresAt: new Date() };
  await prisma.session.create({ data: session });
  await prisma.session.deleteMany();

  const connection = { mcpServerConfigId, userId };
  await prisma.mcpServerUserToken.create({ data: { ...connection, ...tokenColumns('access') } });
  expect(await countConnections(userId)).toBe(1);
  await prisma.mcpServerUserToken.updateMany({ data: { wantedScopes: ['more'] } });
  await prisma.$transaction([
    prisma.mcpServerUserToken.deleteMany(),
    prisma.mcpServerEndedConnection.create({ data: { ...connection, reason: 'over' } }),
  ]);
  expect(await countConnections(userId)).toBe(1);
  await prisma.user.delete({ where: { id: userId } });
  expect(await countConnections(userId)).toBe(0);

  expect(memory.reader.callerVersion()).toBeGreaterThanOrEqual(version + 6n);
  expect(await isLoaded()).toBe(false);
});

test('configs are read again when one changes without a change in the feed, also together with users', async () => {
  const { prisma } = sealed;
  const { id: createdById } = await createUser(prisma);
  const { id: userId } = await createUser(prisma);
  const secret = { authType: 'api_key', apiKeyHeader: 'x-key', apiKeyValue: sealText('secret') };
  const { id } = await prisma.mcpServerConfig.create({ data: { ...configColumns(), ...secret, createdById } });
  const find = () => memory.store.configs.findById(ADMIN, { id });
  expect(await find()).toMatchObject({ createdById });

  // In one transaction, the user's change comes first.
  await prisma.$transaction([
    prisma.user.update({ where: { id: userId }, data: { role: 'admin' } }),
    prisma.$executeRaw`DELETE FROM users WHERE id = ${createdById}::uuid`,
  ]);
  expect(await find()).toMatchObject({ createdById: null });

  await promoteNewKey(sealed);
  await rotateValues(prisma, sealed.keyring);
  expect(await find()).toMatchObject({ secretKeyDigests: [sealed.keyring.active.digest] });
  expect(await isLoaded()).toBe(false);
});
