// On both databases: concurrent writers.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listKeys } from '../../src/data/keys/key-list.ts';
import { revokeKey } from '../../src/data/keys/key-revocation.ts';
import { rotateValues } from '../../src/data/keys/key-rotation.ts';
import { readAllRows } from '../graphql/database-rows.ts';
import { onMainDatabase, onServer } from '../setup/database.ts';
import { sealText } from '../setup/sealed-text.ts';
import {
  configColumns,
  createFlow,
  createUser,
  openSealedDatabase,
  readConfigSecrets,
  readStored,
  type SealedDatabase,
} from './encryption-setup.ts';
import { createSecrets, promoteNewKey, readAllSecrets } from './key-rotation-setup.ts';

let sealed: SealedDatabase;

beforeAll(async () => {
  sealed = await openSealedDatabase();
});
beforeEach(() => sealed.reset());
afterAll(() => sealed.close());

/** A row without its secrets, as the database prints it. */
async function readPlainColumns() {
  return sealed.database.query(
    `SELECT id, slug, version, updated_at::text FROM mcp_server_configs
     UNION ALL SELECT id, token_type, version, updated_at::text FROM mcp_server_user_tokens ORDER BY 1`,
  );
}

test('re-encrypts every value with the new key, keeps the other columns, and frees the old key', async () => {
  const { prisma, keyring } = sealed;
  await createSecrets(prisma, 7);
  const [secrets, plain] = [await readAllSecrets(prisma), await readPlainColumns()];
  const former = await promoteNewKey(sealed);
  const progress: [number, number][] = [];
  const report = await rotateValues(prisma, keyring, {
    batchSize: 3,
    onProgress: (done, total) => progress.push([done, total]),
  });
  expect(report).toEqual({ digest: keyring.active.digest, total: 35, resealed: 35, remaining: 0, failures: [] });
  expect(progress.at(-1)).toEqual([35, 35]);
  expect(progress.map(([done]) => done)).toEqual(progress.map(([done]) => done).toSorted((a, b) => a - b));
  await revokeKey(prisma, keyring, 1);
  expect(keyring.find(former)).toBeUndefined();
  expect(await readAllSecrets(prisma)).toEqual(secrets);
  expect(await readPlainColumns()).toEqual(plain);
});

test.runIf(onMainDatabase)('changes nothing the second time', async () => {
  const { prisma, keyring, database } = sealed;
  await createSecrets(prisma, 2);
  await promoteNewKey(sealed);
  await rotateValues(prisma, keyring);
  const rows = await readAllRows(database);
  expect(await rotateValues(prisma, keyring)).toMatchObject({ total: 0, resealed: 0, remaining: 0 });
  expect(await readAllRows(database)).toEqual(rows);
});

test.runIf(onMainDatabase)('a dry run counts and changes nothing', async () => {
  const { prisma, keyring, database } = sealed;
  await createSecrets(prisma, 2);
  await promoteNewKey(sealed);
  const rows = await readAllRows(database);
  const report = await rotateValues(prisma, keyring, { dryRun: true });
  expect(report).toMatchObject({ total: 10, resealed: 0, remaining: 10, failures: [] });
  expect(await readAllRows(database)).toEqual(rows);
});

test('re-encrypts pending connections too', async () => {
  const { prisma, keyring } = sealed;
  const [config] = await createSecrets(prisma, 1);
  const { id } = await createFlow(prisma, String(config?.id), (await createUser(prisma)).id);
  const former = await promoteNewKey(sealed);
  expect((await rotateValues(prisma, keyring)).resealed).toBe(6);
  keyring.remove(former);
  const row = await prisma.mcpOAuthFlow.findUniqueOrThrow({ where: { id } });
  expect(row.codeVerifier.openFor(row.tokenUrl).expose()).toBe('verifier');
});

test.runIf(onMainDatabase)('stops after its limit and continues from there', async () => {
  const { prisma, keyring } = sealed;
  await createSecrets(prisma, 6);
  const secrets = await readAllSecrets(prisma);
  await promoteNewKey(sealed);
  const reports = [];
  do reports.push(await rotateValues(prisma, keyring, { limit: 10, batchSize: 4 }));
  while (reports.at(-1)?.remaining !== 0);
  // Each call ends with the batch that reaches the limit.
  expect(reports.map(({ total, resealed }) => [total, resealed])).toEqual([
    [30, 10],
    [20, 12],
    [8, 8],
  ]);
  expect(await readAllSecrets(prisma)).toEqual(secrets);
});

test('a value that cannot be decrypted is skipped, reported, and blocks the revocation of its key', async () => {
  const { prisma, keyring, database } = sealed;
  const [first, second] = await createSecrets(prisma, 3);
  const [from, to] = [first?.id ?? '', second?.id ?? ''];
  const moved = await readStored(database, 'mcp_server_configs', 'api_key_value', from);
  await database.query('UPDATE mcp_server_configs SET api_key_value = $1 WHERE id = $2::uuid', [moved, to]);
  await promoteNewKey(sealed);
  const report = await rotateValues(prisma, keyring, { batchSize: 2 });
  expect(report).toMatchObject({ total: 15, resealed: 14, remaining: 1 });
  expect(report.failures).toEqual([{ table: 'mcp_server_configs', column: 'api_key_value', id: to, reason: 'tag' }]);
  expect(await readStored(database, 'mcp_server_configs', 'api_key_value', to)).toBe(moved);
  expect((await readConfigSecrets(prisma, from))[1]).toBe('key 0');
  await expect(revokeKey(prisma, keyring, 1)).rejects.toThrow('1 value (mcp_server_configs.api_key_value: 1)');
});

test.runIf(onMainDatabase)('values of several old keys move to the active one', async () => {
  const { prisma, keyring } = sealed;
  await createSecrets(prisma, 1);
  await promoteNewKey(sealed);
  await createSecrets(prisma, 1);
  await promoteNewKey(sealed);
  await rotateValues(prisma, keyring);
  expect((await listKeys(prisma, keyring)).map((key) => [key.status, key.sealedValueCount])).toEqual([
    ['decrypt_only', 0],
    ['decrypt_only', 0],
    ['active', 10],
  ]);
});

test('two concurrent rotations process every value and lose none', async () => {
  const { prisma, keyring } = sealed;
  await createSecrets(prisma, 40);
  const secrets = await readAllSecrets(prisma);
  await promoteNewKey(sealed);
  const reports = await Promise.all([1, 2, 3].map(() => rotateValues(prisma, keyring, { batchSize: 7 })));
  expect(reports.reduce((sum, { resealed }) => sum + resealed, 0)).toBe(200);
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
  expect(await readAllSecrets(prisma)).toEqual(secrets);
  await revokeKey(prisma, keyring, 1);
});

test("a value written between read and write keeps the writer's text", async () => {
  const { prisma, keyring } = sealed;
  const [config] = await createSecrets(prisma, 3);
  const id = config?.id ?? '';
  const former = await promoteNewKey(sealed);
  let writes = 0;
  const interrupted = new Proxy(prisma, {
    get(target, property) {
      if (property !== '$queryRawUnsafe') return Reflect.get(target, property);
      return async (sql: string, ...parameters: unknown[]) => {
        if (sql.includes('api_key_value') && sql.includes('UPDATE') && writes === 0) {
          writes += 1;
          await prisma.mcpServerConfig.update({ where: { id }, data: { apiKeyValue: sealText('of the writer') } });
        }
        return target.$queryRawUnsafe(sql, ...parameters);
      };
    },
  });
  expect(await rotateValues(interrupted, keyring)).toMatchObject({ resealed: 14, remaining: 0, failures: [] });
  expect(writes).toBe(1);
  expect(await readConfigSecrets(prisma, id)).toEqual(['client 0', 'of the writer', '{"X-Index":"0"}']);
  await revokeKey(prisma, keyring, 1);
  expect(keyring.find(former)).toBeUndefined();
});

test.runIf(onServer)("a value being written during the rotation keeps the writer's text", async () => {
  const { prisma, keyring } = sealed;
  await createSecrets(prisma, 3);
  // Blocked at the first column in which the rotation meets it, after its value was read.
  const { id } = await prisma.mcpServerConfig.create({ data: { ...configColumns(), apiKeyValue: sealText('former') } });
  await promoteNewKey(sealed);
  let rotation: ReturnType<typeof rotateValues> | undefined;
  await prisma.$transaction(async (tx) => {
    await tx.mcpServerConfig.update({
      where: { id },
      data: { apiKeyValue: sealText('of the writer'), version: { increment: 1 } },
    });
    rotation = rotateValues(prisma, keyring);
    // The rotation has done the other rows and waits for this one.
    await waitForLock();
  });
  expect(await rotation).toMatchObject({ remaining: 0, failures: [] });
  expect(await readConfigSecrets(prisma, id)).toEqual([null, 'of the writer', null]);
  await revokeKey(prisma, keyring, 1);
});

test.runIf(onServer)('concurrent writers lose nothing and get no error', async () => {
  const { prisma, keyring } = sealed;
  const configs = await createSecrets(prisma, 120);
  const former = keyring.active.digest;
  await promoteNewKey(sealed);
  const written = new Map<string, string>();
  let isDone = false;
  const write = async (writer: number) => {
    const mine = configs.filter((_, index) => index % 8 === writer);
    for (let round = 0; !isDone; round += 1) {
      const { id } = mine[round % mine.length] ?? { id: '' };
      const value = `writer ${writer} round ${round}`;
      await prisma.mcpServerConfig.update({
        where: { id },
        data: { apiKeyValue: sealText(value), version: { increment: 1 } },
      });
      written.set(id, value);
    }
  };
  const writers = Array.from({ length: 8 }, (_, writer) => write(writer));
  const report = await rotateValues(prisma, keyring, { batchSize: 20 }).finally(() => {
    isDone = true;
  });
  await Promise.all(writers);
  expect(report).toMatchObject({ remaining: 0, failures: [] });
  expect(written.size).toBeGreaterThan(0);
  for (const [id, value] of written) expect((await readConfigSecrets(prisma, id))[1]).toBe(value);
  await revokeKey(prisma, keyring, 1);
  expect(keyring.find(former)).toBeUndefined();
  await readAllSecrets(prisma);
});

/** Resolves once a connection of this database waits for a lock. */
async function waitForLock(): Promise<void> {
  for (;;) {
    const rows = await sealed.database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
  }
}
