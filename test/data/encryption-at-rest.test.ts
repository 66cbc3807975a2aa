import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { scrubDatabaseError } from '../../src/data/database/database-error.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { listSealedColumns, type SealedColumn, type SealedModel } from '../../src/data/sealing/sealed-columns.ts';
import type { SealedValue } from '../../src/data/sealing/sealed-value.ts';
import { DomainError } from '../../src/errors.ts';
import { SERVER_URL, sealText } from '../setup/sealed-text.ts';
import {
  configColumns,
  createFlow,
  createFormerClient,
  createUser,
  newMasterKey,
  openSealedDatabase,
  readStored,
  type SealedDatabase,
  tokenColumns,
} from './encryption-setup.ts';

let sealed: SealedDatabase;

beforeAll(async () => {
  sealed = await openSealedDatabase();
});

afterAll(() => sealed.close());

beforeEach(async () => {
  await sealed.prisma.mcpServerConfig.deleteMany();
  sealed.opened.length = 0;
  sealed.failures.length = 0;
});

async function createConfig() {
  return sealed.prisma.mcpServerConfig.create({
    data: {
      ...configColumns(),
      oauth2ClientSecret: sealText('client'),
      apiKeyValue: sealText('key'),
      customHeaders: sealText('{"X-A":"header"}'),
    },
  });
}

async function createToken(mcpServerConfigId: string, userId: string) {
  return sealed.prisma.mcpServerUserToken.create({
    data: { mcpServerConfigId, userId, ...tokenColumns('access', 'refresh') },
  });
}

/** Decrypts one declared column of a row through the client. */
async function openColumn(model: SealedModel, column: SealedColumn, id: string): Promise<string> {
  const { prisma } = sealed;
  const where = { where: { id } };
  const find: Record<string, () => Promise<object>> = {
    McpServerConfig: () => prisma.mcpServerConfig.findUniqueOrThrow(where),
    McpServerUserToken: () => prisma.mcpServerUserToken.findUniqueOrThrow(where),
    McpOAuthFlow: () => prisma.mcpOAuthFlow.findUniqueOrThrow(where),
    McpServerFormerClient: () => prisma.mcpServerFormerClient.findUniqueOrThrow(where),
  };
  const row = await find[model.model]?.();
  const value = row?.[column.field as keyof typeof row] as unknown as SealedValue;
  return value.openFor(model.model === 'McpOAuthFlow' ? 'https://login.example.com/token' : SERVER_URL).expose();
}

describe('reading', () => {
  test('lists, includes and selects decrypt nothing but show that a secret exists', async () => {
    const user = await createUser(sealed.prisma);
    const config = await createConfig();
    await createToken(config.id, user.id);
    const bare = await sealed.prisma.mcpServerConfig.create({ data: configColumns() });
    const rows = await sealed.prisma.mcpServerConfig.findMany({ include: { userTokens: { include: { user: true } } } });
    await sealed.prisma.user.findMany({ include: { mcpServerTokens: { include: { config: true } } } });
    await sealed.prisma.mcpServerConfig.findMany({ select: { apiKeyValue: true } });
    await sealed.prisma.mcpServerUserToken.groupBy({ by: ['mcpServerConfigId'], _count: { _all: true } });
    JSON.stringify(rows);
    inspect(rows, { depth: 9 });
    const hasKey = new Map(rows.map((row) => [row.id, row.apiKeyValueKeyId !== null && row.apiKeyValue !== null]));
    expect(hasKey.get(config.id)).toBe(true);
    expect(hasKey.get(bare.id)).toBe(false);
    expect(sealed.opened).toEqual([]);
  });

  test('a value is decrypted on request, once per request', async () => {
    const { id } = await createConfig();
    const row = await sealed.prisma.mcpServerConfig.findUniqueOrThrow({ where: { id } });
    expect(row.apiKeyValue?.openFor(SERVER_URL).expose()).toBe('key');
    expect(row.customHeaders?.openFor(SERVER_URL).expose()).toBe('{"X-A":"header"}');
    expect(sealed.opened.map(({ column, rowId }) => [column, rowId])).toEqual([
      ['api_key_value', id],
      ['custom_headers', id],
    ]);
  });

  test('a row shows neither the plaintext nor the ciphertext', async () => {
    const { id } = await createConfig();
    const row = await sealed.prisma.mcpServerConfig.findUniqueOrThrow({ where: { id } });
    const stored = String(await readStored(sealed.database, 'mcp_server_configs', 'api_key_value', id));
    const shown = `${JSON.stringify(row)} ${inspect(row, { depth: 9, showHidden: true })} ${String(row.apiKeyValue)}`;
    expect(shown).toContain('[redacted]');
    expect(shown).not.toContain(stored);
    expect(shown).not.toContain('"key"');
  });

  test('a selected value can be decrypted although id and owner were not selected', async () => {
    const user = await createUser(sealed.prisma);
    const config = await createConfig();
    await createToken(config.id, user.id);
    const row = await sealed.prisma.mcpServerUserToken.findFirstOrThrow({
      where: { userId: user.id },
      select: { refreshToken: true, config: { select: { oauth2ClientSecret: true } } },
    });
    expect(Object.keys(row).sort()).toEqual(['config', 'refreshToken']);
    expect(row.refreshToken?.openFor(SERVER_URL).expose()).toBe('refresh');
    expect(row.config.oauth2ClientSecret?.openFor(SERVER_URL).expose()).toBe('client');
  });

  test('an omitted value is absent, and its neighbour can be decrypted', async () => {
    const { id } = await createConfig();
    const row = await sealed.prisma.mcpServerConfig.findUniqueOrThrow({ where: { id }, omit: { apiKeyValue: true } });
    expect('apiKeyValue' in row).toBe(false);
    expect(row.customHeaders?.openFor(SERVER_URL).expose()).toBe('{"X-A":"header"}');
  });
});

describe('a value that cannot be decrypted', () => {
  test('fails only its own use, and is counted', async () => {
    const broken = await createConfig();
    const sound = await createConfig();
    const key = newMasterKey();
    sealed.keyring.add(key);
    await registerKeys(sealed.prisma, sealed.keyring);
    await sealed.database.query('UPDATE mcp_server_configs SET api_key_value_key_id = $1 WHERE id = $2::uuid', [
      key.digest,
      broken.id,
    ]);
    const rows = await sealed.prisma.mcpServerConfig.findMany();
    expect(
      rows
        .find((row) => row.id === sound.id)
        ?.apiKeyValue?.openFor(SERVER_URL)
        .expose(),
    ).toBe('key');
    const value = rows.find((row) => row.id === broken.id)?.apiKeyValue;
    const error = catchError(() => value?.openFor(SERVER_URL));
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({
      code: 'DECRYPTION_FAILED',
      details: { table: 'mcp_server_configs', column: 'api_key_value', id: broken.id },
    });
    expect(sealed.failures).toMatchObject([{ reason: 'commitment', place: { rowId: broken.id } }]);
  });

  test('because its key is not configured is labelled so in the metric', async () => {
    const { id } = await createConfig();
    const { prisma, keyring } = sealed;
    const former = keyring.active;
    const next = newMasterKey();
    keyring.add(next);
    keyring.promote(next.digest);
    keyring.remove(former.digest);
    try {
      const row = await prisma.mcpServerConfig.findUniqueOrThrow({ where: { id } });
      expect(catchError(() => row.apiKeyValue?.openFor(SERVER_URL))).toMatchObject({ code: 'DECRYPTION_FAILED' });
      expect(sealed.failures).toMatchObject([{ reason: 'unknown_key' }]);
    } finally {
      keyring.add(former);
      keyring.promote(former.digest);
      keyring.remove(next.digest);
    }
  });
});

describe('an encrypted value moved by hand', () => {
  test('cannot be decrypted in any other place', async () => {
    const [anna, ben] = [await createUser(sealed.prisma), await createUser(sealed.prisma)];
    const [one, two] = [await createConfig(), await createConfig()];
    const tokens = [
      await createToken(one.id, anna.id),
      await createToken(one.id, ben.id),
      await createToken(two.id, anna.id),
    ];
    const flows = [await createFlow(sealed.prisma, one.id, anna.id), await createFlow(sealed.prisma, one.id, ben.id)];
    const clients = [await createFormerClient(sealed.prisma, one.id), await createFormerClient(sealed.prisma, two.id)];
    const rows = {
      McpServerConfig: [one, two],
      McpServerUserToken: tokens,
      McpServerFormerClient: clients,
      McpOAuthFlow: flows,
    };
    const places = listSealedColumns().flatMap(({ model, column }) =>
      rows[model.model as keyof typeof rows].map(({ id }) => ({ model, column, id })),
    );
    const stored = await Promise.all(
      places.map(({ model, column, id }) => readStored(sealed.database, model.table, column.column, id)),
    );
    const put = (to: (typeof places)[number], text: unknown) =>
      sealed.database.query(`UPDATE "${to.model.table}" SET "${to.column.column}" = $1 WHERE id = $2::uuid`, [
        text,
        to.id,
      ]);
    let moves = 0;
    for (const [index, to] of places.entries()) {
      for (const [fromIndex, text] of stored.entries()) {
        if (fromIndex === index) continue;
        await put(to, text);
        await expect(openColumn(to.model, to.column, to.id)).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' });
        moves += 1;
      }
      await put(to, stored[index]);
      await expect(openColumn(to.model, to.column, to.id)).resolves.toEqual(expect.any(String));
    }
    expect(moves).toBe(places.length * (places.length - 1));
    expect(new Set(sealed.failures.map(({ reason }) => reason))).toEqual(new Set(['tag']));
  });

  test('cannot be decrypted when its row changes user or id', async () => {
    const [anna, ben] = [await createUser(sealed.prisma), await createUser(sealed.prisma)];
    const config = await createConfig();
    const { id } = await createToken(config.id, anna.id);
    const open = async (rowId: string) => {
      const row = await sealed.prisma.mcpServerUserToken.findUniqueOrThrow({ where: { id: rowId } });
      return row.accessToken.openFor(SERVER_URL).expose();
    };
    await sealed.database.query('UPDATE mcp_server_user_tokens SET user_id = $1::uuid', [ben.id]);
    await expect(open(id)).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' });
    await sealed.database.query('UPDATE mcp_server_user_tokens SET user_id = $1::uuid', [anna.id]);
    await expect(open(id)).resolves.toBe('access');
    const other = randomUUID();
    await sealed.database.query('UPDATE mcp_server_user_tokens SET id = $1::uuid', [other]);
    await expect(open(other)).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' });
  });
});

describe('plaintext by raw SQL', () => {
  test.each(
    listSealedColumns().map(({ model, column }) => [`${model.table}.${column.column}`, model, column] as const),
  )('is refused in %s, and its error is safe to log', async (_, model, column) => {
    const user = await createUser(sealed.prisma);
    const config = await createConfig();
    await createToken(config.id, user.id);
    await createFlow(sealed.prisma, config.id, user.id);
    await createFormerClient(sealed.prisma, config.id);
    const sql = `UPDATE "${model.table}" SET "${column.column}" = $1`;
    const canary = 'plain\n    at text';
    const errors = [
      await catchAsync(sealed.database.query(sql, [canary])),
      await catchAsync(sealed.prisma.$executeRawUnsafe(sql, canary)),
    ];
    for (const error of errors) {
      expect(inspect(error, { depth: 9 })).toMatch(/plain/);
      const scrubbed = scrubDatabaseError(error);
      expect(inspect(scrubbed, { depth: 9, showHidden: true })).not.toMatch(/plain|at text/);
      expect(String(scrubbed)).toContain('SQLSTATE 23514');
      expect(String(scrubbed)).toContain(column.column);
    }
  });
});

function catchError(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

function catchAsync(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
