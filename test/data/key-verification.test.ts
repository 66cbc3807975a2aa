import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { verifyValues } from '../../src/data/keys/key-verification.ts';
import { listSealedColumns } from '../../src/data/sealing/sealed-columns.ts';
import {
  createFlow,
  createFormerClient,
  createUser,
  openSealedDatabase,
  readStored,
  type SealedDatabase,
} from './encryption-setup.ts';
import { createSecrets, promoteNewKey } from './key-rotation-setup.ts';

let sealed: SealedDatabase;

beforeAll(async () => {
  sealed = await openSealedDatabase();
});
beforeEach(() => sealed.reset());
afterAll(() => sealed.close());

test('decrypts every value and test value, and reports no failure in an intact database', async () => {
  await createSecrets(sealed.prisma, 3);
  await promoteNewKey(sealed);
  const progress: number[] = [];
  const report = await verifyValues(sealed.prisma, sealed.keyring, { onProgress: (done) => progress.push(done) });
  expect(report).toEqual({ checked: 17, failures: [] });
  expect(progress.at(-1)).toBe(17);
});

test.each(listSealedColumns().map((place) => [`${place.model.table}.${place.column.column}`, place] as const))(
  'names the row of an altered value of %s',
  async (_name, { model: { table }, column: { column } }) => {
    const [config] = await createSecrets(sealed.prisma, 2);
    await createFlow(sealed.prisma, String(config?.id), (await createUser(sealed.prisma)).id);
    await createFormerClient(sealed.prisma, String(config?.id));
    const [row] = await sealed.database.query(`SELECT id::text AS id FROM ${table} ORDER BY id DESC LIMIT 1`);
    const id = String(row?.['id']);
    const stored = String(await readStored(sealed.database, table, column, id));
    const changed = stored.slice(0, 100) + (stored[100] === 'A' ? 'B' : 'A') + stored.slice(101);
    await sealed.database.query(`UPDATE ${table} SET ${column} = $1 WHERE id = $2::uuid`, [changed, id]);
    const report = await verifyValues(sealed.prisma, sealed.keyring);
    expect(report.checked).toBe(13);
    expect(report.failures).toEqual([{ table, column, id, reason: expect.stringMatching(/^(tag|commitment)$/) }]);
  },
);

test('names the key whose test value was altered, and the values whose key is missing', async () => {
  const { prisma, keyring, database } = sealed;
  const [config] = await createSecrets(prisma, 1);
  const former = await promoteNewKey(sealed);
  const canary = await database.query('SELECT canary FROM encryption_keys WHERE number = 1');
  await database.query('UPDATE encryption_keys SET canary = $1 WHERE number = 2', [canary[0]?.['canary']]);
  keyring.remove(former);
  const { checked, failures } = await verifyValues(prisma, keyring);
  expect(checked).toBe(6);
  expect(failures[0]).toEqual({ table: 'encryption_keys', column: 'canary', id: '2', reason: 'commitment' });
  expect(failures.slice(1).map(({ reason }) => reason)).toEqual(Array(5).fill('unknown_key'));
  expect(failures.filter(({ id }) => id === config?.id)).toHaveLength(3);
});
