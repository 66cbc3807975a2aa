import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { SEALING_KEY } from '../../src/data/sealing/seal-row.ts';
import { SERVER_URL, sealText } from '../setup/sealed-text.ts';
import {
  configColumns,
  isStored,
  newMasterKey,
  openSealedDatabase,
  readConfigSecrets,
  type SealedDatabase,
} from './encryption-setup.ts';

let sealed: SealedDatabase;
let prisma: SealedDatabase['prisma'];

beforeAll(async () => {
  sealed = await openSealedDatabase();
  prisma = sealed.prisma;
});

afterAll(() => sealed.close());

beforeEach(async () => {
  await prisma.mcpServerConfig.deleteMany();
});

const readConfig = (id: string) => readConfigSecrets(prisma, id);

describe('a config is encrypted by', () => {
  test('create, also in the returned record', async () => {
    const row = await prisma.mcpServerConfig.create({
      data: { ...configColumns(), apiKeyValue: sealText('canary-create') },
    });
    expect(row.apiKeyValue?.openFor(SERVER_URL).expose()).toBe('canary-create');
    expect(row.apiKeyValueKeyId).toBe(sealed.keyring.active.digest);
    expect(row.oauth2ClientSecretKeyId).toBeNull();
    expect(await readConfig(row.id)).toEqual([null, 'canary-create', null]);
    expect(await isStored(sealed.database, 'canary-create')).toBe(false);
  });

  test('create with an explicit id, in any spelling', async () => {
    const id = randomUUID();
    const data = { id: id.toUpperCase(), ...configColumns(), apiKeyValue: sealText('spelled') };
    await prisma.mcpServerConfig.create({ data });
    expect(await readConfig(id)).toEqual([null, 'spelled', null]);
    await prisma.mcpServerConfig.update({ where: { id: id.toUpperCase() }, data: { customHeaders: sealText('{}') } });
    expect(await readConfig(id)).toEqual([null, 'spelled', '{}']);
  });

  test('createMany and createManyAndReturn', async () => {
    const id = randomUUID();
    await prisma.mcpServerConfig.createMany({
      data: [
        { id, ...configColumns(), apiKeyValue: sealText('many-1') },
        { ...configColumns(), customHeaders: sealText('many-2') },
      ],
    });
    const rows = await prisma.mcpServerConfig.createManyAndReturn({
      data: [{ ...configColumns(), oauth2ClientSecret: sealText('many-3') }, configColumns()],
    });
    expect(await readConfig(id)).toEqual([null, 'many-1', null]);
    expect(rows.map((row) => row.oauth2ClientSecret?.openFor(SERVER_URL).expose())).toEqual(['many-3', undefined]);
    expect(await isStored(sealed.database, 'many-')).toBe(false);
  });

  test('update, also as { set }, leaving the others as they are', async () => {
    const { id } = await prisma.mcpServerConfig.create({ data: { ...configColumns(), apiKeyValue: sealText('old') } });
    await prisma.mcpServerConfig.update({ where: { id }, data: { oauth2ClientSecret: sealText('added') } });
    await prisma.mcpServerConfig.update({ where: { id }, data: { apiKeyValue: { set: sealText('new') } } });
    await prisma.mcpServerConfig.update({ where: { id }, data: { displayName: 'Renamed' } });
    expect(await readConfig(id)).toEqual(['added', 'new', null]);
  });

  test('updateMany and updateManyAndReturn that name one row', async () => {
    const { id } = await prisma.mcpServerConfig.create({ data: configColumns() });
    await prisma.mcpServerConfig.updateMany({ where: { id, version: 1 }, data: { apiKeyValue: sealText('one') } });
    const [row] = await prisma.mcpServerConfig.updateManyAndReturn({
      where: { AND: [{ enabled: false }, { id: { equals: id } }] },
      data: { customHeaders: sealText('two') },
    });
    expect(row?.customHeaders?.openFor(SERVER_URL).expose()).toBe('two');
    expect(await readConfig(id)).toEqual([null, 'one', 'two']);
  });

  test('upsert, when it inserts and when it updates', async () => {
    const id = randomUUID();
    const upsert = (text: string) =>
      prisma.mcpServerConfig.upsert({
        where: { id },
        create: { id, ...configColumns(), apiKeyValue: sealText(text) },
        update: { apiKeyValue: sealText(text) },
      });
    await upsert('inserted');
    expect(await readConfig(id)).toEqual([null, 'inserted', null]);
    await upsert('updated');
    expect(await readConfig(id)).toEqual([null, 'updated', null]);
  });

  test('an interactive transaction and a batch', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    await prisma.$transaction(async (tx) => {
      await tx.mcpServerConfig.create({ data: { id: one, ...configColumns(), apiKeyValue: sealText('inside') } });
      const seen = await tx.mcpServerConfig.findUniqueOrThrow({ where: { id: one } });
      expect(seen.apiKeyValue?.openFor(SERVER_URL).expose()).toBe('inside');
    });
    await prisma.$transaction([
      prisma.mcpServerConfig.create({ data: { id: two, ...configColumns(), apiKeyValue: sealText('batched') } }),
      prisma.mcpServerConfig.update({ where: { id: two }, data: { customHeaders: sealText('batched too') } }),
    ]);
    expect(await readConfig(one)).toEqual([null, 'inside', null]);
    expect(await readConfig(two)).toEqual([null, 'batched', 'batched too']);
  });

  test('no statement that is rolled back', async () => {
    const { id } = await prisma.mcpServerConfig.create({
      data: { ...configColumns(), apiKeyValue: sealText('before') },
    });
    const failed = prisma.$transaction(async (tx) => {
      await tx.mcpServerConfig.update({ where: { id }, data: { apiKeyValue: sealText('rolled back') } });
      throw new Error('roll back');
    });
    await expect(failed).rejects.toThrow('roll back');
    const columns = configColumns();
    const batch = prisma.$transaction([
      prisma.mcpServerConfig.update({ where: { id }, data: { apiKeyValue: sealText('rolled back') } }),
      prisma.mcpServerConfig.create({ data: columns }),
      prisma.mcpServerConfig.create({ data: columns }),
    ]);
    await expect(batch).rejects.toMatchObject({ code: 'P2002' });
    expect(await readConfig(id)).toEqual([null, 'before', null]);
  });
});

describe('null and the empty text', () => {
  test('null clears value and key, also of many rows', async () => {
    const data = { ...configColumns(), apiKeyValue: sealText('x'), customHeaders: sealText('y') };
    const { id } = await prisma.mcpServerConfig.create({ data });
    const row = await prisma.mcpServerConfig.update({ where: { id }, data: { apiKeyValue: null } });
    expect([row.apiKeyValue, row.apiKeyValueKeyId]).toEqual([null, null]);
    await prisma.mcpServerConfig.updateMany({ data: { customHeaders: null } });
    expect(await readConfig(id)).toEqual([null, null, null]);
  });

  test('null beside a value is null', async () => {
    const data = { ...configColumns(), apiKeyValue: null, customHeaders: sealText('y') };
    const { id } = await prisma.mcpServerConfig.create({ data });
    expect(await readConfig(id)).toEqual([null, null, 'y']);
  });

  test('the empty text is a value', async () => {
    const { id, apiKeyValueKeyId } = await prisma.mcpServerConfig.create({
      data: { ...configColumns(), apiKeyValue: sealText('') },
    });
    expect(apiKeyValueKeyId).not.toBeNull();
    expect(await readConfig(id)).toEqual([null, '', null]);
  });
});

test('after a promotion, new writes use the new key and old values can still be decrypted', async () => {
  const { keyring } = sealed;
  const { id } = await prisma.mcpServerConfig.create({
    data: { ...configColumns(), apiKeyValue: sealText('old key') },
  });
  const former = keyring.active.digest;
  const next = newMasterKey();
  keyring.add(next);
  await registerKeys(prisma, keyring);
  keyring.promote(next.digest);
  try {
    await prisma.mcpServerConfig.update({ where: { id }, data: { customHeaders: sealText('new key') } });
    const row = await prisma.mcpServerConfig.findUniqueOrThrow({ where: { id } });
    expect([row.apiKeyValueKeyId, row.customHeadersKeyId]).toEqual([former, next.digest]);
    expect(await readConfig(id)).toEqual([null, 'old key', 'new key']);
  } finally {
    keyring.promote(former);
  }
});

test('the arguments of a write are not changed', async () => {
  const data = Object.freeze({ ...configColumns(), apiKeyValue: sealText('mine') });
  await prisma.mcpServerConfig.create({ data });
  expect(data.apiKeyValue).toEqual(sealText('mine'));
  expect('id' in data).toBe(false);
});

test('the placeholder of a required key column is never stored', async () => {
  expect(await isStored(sealed.database, SEALING_KEY)).toBe(false);
});
