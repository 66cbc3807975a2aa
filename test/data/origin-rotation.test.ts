// On both databases: a rotation of old values beside concurrent writers.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { rotateValues } from '../../src/data/keys/key-rotation.ts';
import { verifyValues } from '../../src/data/keys/key-verification.ts';
import { listSealedColumns } from '../../src/data/sealing/sealed-columns.ts';
import { readValue } from '../../src/data/sealing/sealed-value.ts';
import { onMainDatabase } from '../setup/database.ts';
import { sealV1 } from '../setup/seal-v1.ts';
import { SERVER_URL, sealText } from '../setup/sealed-text.ts';
import {
  createFlow,
  createFormerClient,
  createUser,
  openSealedDatabase,
  type SealedDatabase,
} from './encryption-setup.ts';
import { createSecrets, promoteNewKey, readAllSecrets } from './key-rotation-setup.ts';

const STRANGER = 'https://stranger.example.net/';
const ORIGIN = 'https://mcp.example.com';

let sealed: SealedDatabase;

beforeAll(async () => {
  sealed = await openSealedDatabase();
});
beforeEach(() => sealed.reset());
afterAll(() => sealed.close());

/** The stored values of every declared column, opened. */
async function listValues() {
  const values = [];
  for (const { model, column } of listSealedColumns()) {
    const owner = model.owner === undefined ? 'NULL' : `"${model.owner.column}"::text`;
    const rows = await sealed.database.query(
      `SELECT id::text AS id, ${owner} AS owner, "${column.column}" AS text, "${column.keyColumn}" AS digest
       FROM "${model.table}" WHERE "${column.keyColumn}" IS NOT NULL ORDER BY id`,
    );
    for (const row of rows) {
      const ownerId = row['owner'] === null ? undefined : String(row['owner']);
      const place = { table: model.table, column: column.column, rowId: String(row['id']), ownerId };
      const stored = { text: String(row['text']), keyDigest: String(row['digest']) };
      values.push({ place, stored, content: readValue(sealed.keyring, stored, place) });
    }
  }
  return values;
}

/** Turns every value into what the version before has written. */
async function downgrade(): Promise<void> {
  for (const { place, content } of await listValues()) {
    const old = sealV1(sealed.keyring.active, content.text, place);
    await sealed.database.query(`UPDATE "${place.table}" SET "${place.column}" = $1 WHERE id = $2::uuid`, [
      old,
      place.rowId,
    ]);
  }
}

/** Values in every declared column, which may go to `ORIGIN` (the flow's to its own token URL). */
async function createInAllColumns(configs = 2) {
  const [config] = await createSecrets(sealed.prisma, configs);
  const configId = String(config?.id);
  await createFlow(sealed.prisma, configId, (await createUser(sealed.prisma)).id);
  await createFormerClient(sealed.prisma, configId);
  return configId;
}

test('old values open for any URL until a rotation binds them, also under the active key', async () => {
  const { prisma, keyring } = sealed;
  const configId = await createInAllColumns();
  const before = await listValues();
  const secrets = await readAllSecrets(prisma);
  await downgrade();
  expect(await readAllSecrets(prisma)).toEqual(secrets);
  const config = () => prisma.mcpServerConfig.findUniqueOrThrow({ where: { id: configId } });
  expect((await config()).apiKeyValue?.openFor(STRANGER).expose()).toBe('key 0');

  const report = await rotateValues(prisma, keyring);
  expect(report).toMatchObject({ total: before.length, resealed: before.length, remaining: 0, failures: [] });
  expect(new Set((await listValues()).map(({ place }) => `${place.table}.${place.column}`)).size).toBe(7);
  expect((await listValues()).map(({ content }) => content)).toEqual(before.map(({ content }) => content));
  expect(await readAllSecrets(prisma)).toEqual(secrets);
  const { apiKeyValue, version } = await config();
  expect(version).toBe(1);
  expect(() => apiKeyValue?.openFor(STRANGER)).toThrow('changed outside of the gateway');
  expect(await rotateValues(prisma, keyring)).toMatchObject({ total: 0, resealed: 0, remaining: 0 });
});

test('a rotation keeps the origins of a value, whatever SQL wrote into its row', async () => {
  const { prisma, keyring, database } = sealed;
  await createInAllColumns();
  const before = (await listValues()).map(({ content }) => content);
  await database.query('UPDATE mcp_server_configs SET url = $1, oauth2_token_url = $1', [STRANGER]);
  await promoteNewKey(sealed);
  expect(await rotateValues(prisma, keyring)).toMatchObject({ remaining: 0, failures: [] });
  expect((await listValues()).map(({ content }) => content)).toEqual(before);
});

test.runIf(onMainDatabase)('an old value beside a text that is no URL is left alone and named', async () => {
  const { prisma, keyring, database } = sealed;
  const configId = await createInAllColumns(1);
  await downgrade();
  await database.query("UPDATE mcp_server_configs SET url = 'nothing' WHERE id = $1::uuid", [configId]);
  const { failures, remaining } = await rotateValues(prisma, keyring);
  expect(failures.map(({ reason }) => reason)).toEqual(Array(6).fill('destination'));
  expect(remaining).toBe(6);
});

test('writers during the rotation of old values lose nothing', async () => {
  const { prisma, keyring } = sealed;
  const configs = await createSecrets(prisma, onMainDatabase ? 60 : 24);
  await downgrade();
  const written = new Map<string, string>();
  const write = async () => {
    for (const [index, { id }] of configs.entries()) {
      if (index % 3 !== 0) continue;
      const text = `written ${index}`;
      await prisma.mcpServerConfig.update({ where: { id }, data: { apiKeyValue: sealText(text) } });
      written.set(id, text);
    }
  };
  await Promise.all([write(), rotateValues(prisma, keyring, { batchSize: 7 })]);
  expect(await rotateValues(prisma, keyring)).toMatchObject({ remaining: 0, failures: [] });
  const secrets = await readAllSecrets(prisma);
  for (const [id, text] of written) expect(secrets[`${id} key`]).toBe(text);
  expect((await listValues()).every(({ content }) => content.origins?.join() === ORIGIN)).toBe(true);
});

test.runIf(onMainDatabase).each([
  ['url', 6],
  ['oauth2_token_url', 4],
  ['oauth2_revocation_url', 4],
])('a verification names the values that a changed %s would have misdirected', async (column, count) => {
  const { prisma, keyring, database } = sealed;
  const configId = await createInAllColumns();
  const verify = () => verifyValues(prisma, keyring);
  expect((await verify()).failures).toEqual([]);
  await database.query(`UPDATE mcp_server_configs SET "${column}" = $1 WHERE id = $2::uuid`, [STRANGER, configId]);
  const { failures } = await verify();
  expect(failures.map(({ reason }) => reason)).toEqual(Array(count).fill('destination'));
  await database.query(`UPDATE mcp_server_configs SET "${column}" = $1 WHERE id = $2::uuid`, [SERVER_URL, configId]);
  expect((await verify()).failures).toEqual([]);
});

test.runIf(onMainDatabase)('a flow that got another token URL is named too', async () => {
  await createInAllColumns();
  await sealed.database.query('UPDATE mcp_oauth_flows SET token_url = $1', [STRANGER]);
  const { failures } = await verifyValues(sealed.prisma, sealed.keyring);
  expect(failures).toMatchObject([{ table: 'mcp_oauth_flows', reason: 'destination' }]);
});
