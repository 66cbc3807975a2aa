import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERVER_URL, sealText } from '../setup/sealed-text.ts';
import {
  configColumns,
  createUser,
  isStored,
  openSealedDatabase,
  readConfigSecrets,
  type SealedDatabase,
  tokenColumns,
} from './encryption-setup.ts';

let sealed: SealedDatabase;
let prisma: SealedDatabase['prisma'];

beforeAll(async () => {
  sealed = await openSealedDatabase();
  prisma = sealed.prisma;
});

afterAll(() => sealed.close());

/** The two tokens of a row, decrypted. */
async function readToken(where: { id: string } | { userId: string }) {
  const row = await prisma.mcpServerUserToken.findFirstOrThrow({ where });
  return [row.accessToken.openFor(SERVER_URL).expose(), row.refreshToken?.openFor(SERVER_URL).expose() ?? null];
}

describe("a user's token is encrypted by", () => {
  test('create and by an update that names row and user', async () => {
    const user = await createUser(prisma);
    const config = await prisma.mcpServerConfig.create({ data: configColumns() });
    const { id } = await prisma.mcpServerUserToken.create({
      data: { userId: user.id, mcpServerConfigId: config.id, ...tokenColumns('access-1', 'refresh-1') },
    });
    expect(await readToken({ id })).toEqual(['access-1', 'refresh-1']);
    await prisma.mcpServerUserToken.update({
      where: { id, userId: user.id },
      data: { accessToken: sealText('access-2'), refreshToken: null },
    });
    expect(await readToken({ id })).toEqual(['access-2', null]);
    const mcpServerConfigId_userId = { mcpServerConfigId: config.id, userId: user.id };
    await prisma.mcpServerUserToken.update({
      where: { id, mcpServerConfigId_userId },
      data: { refreshToken: sealText('refresh-3') },
    });
    expect(await readToken({ id })).toEqual(['access-2', 'refresh-3']);
  });

  test('create under a new user and under a known one', async () => {
    const config = await prisma.mcpServerConfig.create({ data: configColumns() });
    const other = await prisma.mcpServerConfig.create({ data: configColumns() });
    const id = randomUUID();
    await prisma.user.create({
      data: {
        id,
        email: `${id}@example.com`,
        mcpServerTokens: { create: { mcpServerConfigId: config.id, ...tokenColumns('nested-1') } },
      },
    });
    expect(await readToken({ userId: id })).toEqual(['nested-1', null]);
    const tokenId = randomUUID();
    await prisma.user.update({
      where: { id },
      data: {
        mcpServerTokens: {
          createMany: { data: [{ id: tokenId, mcpServerConfigId: other.id, ...tokenColumns('nested-2', 'nested-3') }] },
        },
      },
    });
    expect(await readToken({ id: tokenId })).toEqual(['nested-2', 'nested-3']);
    await prisma.user.update({
      where: { id },
      data: { mcpServerTokens: { update: { where: { id: tokenId }, data: { accessToken: sealText('nested-4') } } } },
    });
    expect(await readToken({ id: tokenId })).toEqual(['nested-4', 'nested-3']);
    expect(await isStored(sealed.database, 'nested-')).toBe(false);
  });

  test('create, upsert, updateMany and connectOrCreate under a config', async () => {
    const [anna, ben, eve] = [await createUser(prisma), await createUser(prisma), await createUser(prisma)];
    const id = randomUUID();
    const config = await prisma.mcpServerConfig.create({
      data: {
        ...configColumns(),
        apiKeyValue: sealText('outer'),
        userTokens: { create: [{ id, userId: anna.id, ...tokenColumns('nested-1') }] },
      },
    });
    const where = { id: config.id };
    const upsert = (userId: string, tokenId: string, accessToken: string) =>
      prisma.mcpServerConfig.update({
        where,
        data: {
          userTokens: {
            upsert: {
              where: { id: tokenId, userId },
              create: { id: tokenId, userId, ...tokenColumns(accessToken) },
              update: { accessToken: sealText(accessToken) },
            },
          },
        },
      });
    await upsert(anna.id, id, 'nested-2');
    expect(await readToken({ userId: anna.id })).toEqual(['nested-2', null]);
    await upsert(ben.id, randomUUID(), 'nested-3');
    expect(await readToken({ userId: ben.id })).toEqual(['nested-3', null]);
    const update = { where: { id, userId: anna.id }, data: { refreshToken: sealText('nested-4') } };
    await prisma.mcpServerConfig.update({ where, data: { userTokens: { updateMany: update } } });
    expect(await readToken({ userId: anna.id })).toEqual(['nested-2', 'nested-4']);
    const tokenId = randomUUID();
    const create = { id: tokenId, userId: eve.id, ...tokenColumns('nested-5') };
    await prisma.mcpServerConfig.update({
      where,
      data: { userTokens: { connectOrCreate: { where: { id: tokenId }, create } } },
    });
    expect(await readToken({ userId: eve.id })).toEqual(['nested-5', null]);
    expect(await readConfigSecrets(prisma, config.id)).toEqual([null, 'outer', null]);
    expect(await isStored(sealed.database, 'nested-')).toBe(false);
  });

  test('a write to the config from below, when it is named by id', async () => {
    const user = await createUser(prisma);
    const config = await prisma.mcpServerConfig.create({ data: configColumns() });
    const { id } = await prisma.mcpServerUserToken.create({
      data: { userId: user.id, mcpServerConfigId: config.id, ...tokenColumns('access') },
    });
    await prisma.mcpServerUserToken.update({
      where: { id },
      data: { config: { update: { where: { id: config.id }, data: { apiKeyValue: sealText('from below') } } } },
    });
    expect(await readConfigSecrets(prisma, config.id)).toEqual([null, 'from below', null]);
  });
});
