// On both databases: locks.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import type { MasterKey } from '../../src/crypto/master-key.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createPrisma, type GatehousePrisma } from '../../src/data/database/prisma.ts';
import { checkKeys, registerKeys } from '../../src/data/keys/key-registry.ts';
import { KeyRegistryError } from '../../src/data/keys/key-registry-error.ts';
import { onMainDatabase, onServer, openTestDatabase } from '../setup/database.ts';
import { sealText } from '../setup/sealed-text.ts';
import { configColumns, newMasterKey, removeRows } from './encryption-setup.ts';

let database: Database;
let prisma: GatehousePrisma;
const [first, second, third] = [newMasterKey(), newMasterKey(), newMasterKey()] as const;
const openPrismas: GatehousePrisma[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
});

beforeEach(async () => {
  await removeRows(database);
  prisma = start([first]).prisma;
});

afterEach(() => Promise.all(openPrismas.splice(0).map((each) => each.$disconnect())));

afterAll(() => database.close());

/** A gateway's client with these keys, before it registers them. */
function start(keys: readonly MasterKey[]) {
  const keyring = new Keyring(keys);
  const client = createPrisma(database, keyring);
  openPrismas.push(client);
  return { keyring, prisma: client, register: () => registerKeys(client, keyring) };
}

async function listRegistered() {
  const rows = await prisma.encryptionKey.findMany({ orderBy: { number: 'asc' } });
  return rows.map(({ number, activeDigest }) => [number, activeDigest]);
}

async function catchProblems(work: Promise<unknown>): Promise<readonly string[]> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyRegistryError)) throw error ?? new Error('it was not refused');
  return error.problems;
}

describe('the start', () => {
  test('registers the keys in order, once', async () => {
    expect(await start([first, second]).register()).toEqual({ registered: [1, 2], warnings: [] });
    expect(await start([first, second]).register()).toEqual({ registered: [], warnings: [] });
    expect(await start([third, second, first]).register()).toEqual({ registered: [3], warnings: [] });
    expect(await listRegistered()).toEqual([
      [1, first.digest],
      [2, second.digest],
      [3, third.digest],
    ]);
  });

  test('of many replicas at once registers each key once', async () => {
    const replicas = [[first], [first, second], [second, first], [first, second, third]].flatMap((keys) => [
      start(keys),
      start(keys),
    ]);
    const results = await Promise.all(replicas.map((replica) => replica.register()));
    expect(results.flatMap(({ registered }) => registered).sort()).toEqual([1, 2, 3]);
    const digests = (await listRegistered()).map(([, digest]) => digest);
    expect(new Set(digests)).toEqual(new Set([first.digest, second.digest, third.digest]));
  });

  test('warns about a registered key that is not configured and encrypts nothing', async () => {
    await start([first]).register();
    const { warnings } = await start([second]).register();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^key 1 \(digest [0-9a-f]{12}…\) is registered but not configured/);
  });

  test('fails without a key that values need, names how many and where, and registers nothing', async () => {
    const gateway = start([first]);
    await gateway.register();
    const data = [
      { ...configColumns(), apiKeyValue: sealText('a'), customHeaders: sealText('b') },
      { ...configColumns(), apiKeyValue: sealText('c') },
    ];
    await gateway.prisma.mcpServerConfig.createMany({ data });
    const problems = await catchProblems(start([second]).register());
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('key 1 ');
    expect(problems[0]).toContain('3 values');
    expect(problems[0]).toContain('mcp_server_configs.api_key_value: 2');
    expect(problems[0]).toContain('mcp_server_configs.custom_headers: 1');
    expect(await listRegistered()).toHaveLength(1);
    await expect(start([second, first]).register()).resolves.toMatchObject({ registered: [2] });
  });

  test.runIf(onMainDatabase)('fails with a revoked key', async () => {
    await start([first, second]).register();
    await prisma.encryptionKey.update({
      where: { number: 2 },
      data: { activeDigest: null, revokedDigest: second.digest, revokedAt: new Date() },
    });
    const problems = await catchProblems(start([first, second]).register());
    expect(problems).toEqual([expect.stringMatching(/^key 2 \(digest [0-9a-f]{12}…\) is revoked/)]);
    await expect(start([first]).register()).resolves.toEqual({ registered: [], warnings: [] });
  });

  test.runIf(onMainDatabase).each<[string, (number: number) => string]>([
    ['of another place', (number) => seal(first, 'gatehouse canary', 'other', number)],
    ['of another key', (number) => seal(third, 'gatehouse canary', 'canary', number)],
    ['with another text', (number) => seal(first, 'something else', 'canary', number)],
    ['of another number', (number) => seal(first, 'gatehouse canary', 'canary', number + 1)],
    ['with a changed bit', () => `v1:${'A'.repeat(107)}`],
  ])('is refused with a canary %s', async (_, makeCanary) => {
    await start([first]).register();
    await prisma.encryptionKey.update({ where: { number: 1 }, data: { canary: makeCanary(1) } });
    const problems = await catchProblems(start([first]).register());
    expect(problems).toEqual([expect.stringMatching(/^key 1 .*canary/)]);
  });

  test.runIf(onMainDatabase)('reports all problems at once, and no key', async () => {
    await start([first, second]).register();
    await prisma.encryptionKey.update({ where: { number: 1 }, data: { canary: `v1:${'A'.repeat(107)}` } });
    await prisma.encryptionKey.update({
      where: { number: 2 },
      data: { activeDigest: null, revokedDigest: second.digest, revokedAt: new Date() },
    });
    expect(await catchProblems(start([first, second]).register())).toHaveLength(2);
  });
});

describe('readiness', () => {
  test('has no complaint after the start', async () => {
    const gateway = start([first]);
    await gateway.register();
    expect(await checkKeys(gateway.prisma, gateway.keyring)).toEqual({ problems: [], warnings: [] });
  });

  test('detects an unregistered key and a key revoked since the start', async () => {
    const gateway = start([first, second]);
    await gateway.register();
    gateway.keyring.add(third);
    await prisma.encryptionKey.update({
      where: { number: 2 },
      data: { activeDigest: null, revokedDigest: second.digest, revokedAt: new Date() },
    });
    const { problems } = await checkKeys(gateway.prisma, gateway.keyring);
    expect(problems).toEqual([expect.stringMatching(/^key 2 .*revoked/), expect.stringContaining('not registered')]);
  });
});

test.runIf(onServer)('encrypted writes continue while keys are being registered', async () => {
  const gateway = start([first]);
  await gateway.register();
  await gateway.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE encryption_keys IN SHARE ROW EXCLUSIVE MODE`;
    // On another connection, before this transaction ends: it would block forever if the lock excluded it.
    const row = await prisma.mcpServerConfig.create({
      data: { ...configColumns(), apiKeyValue: sealText('meanwhile') },
    });
    expect(row.apiKeyValueKeyId).toBe(first.digest);
  });
});

function seal(key: MasterKey, text: string, column: string, number: number): string {
  return sealEnvelope(
    key,
    { text, origins: [] },
    { table: 'encryption_keys', column, rowId: String(number), ownerId: undefined },
  );
}
