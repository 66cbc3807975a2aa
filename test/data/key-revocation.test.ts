// On both databases: foreign keys, and locks.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isForeignKeyViolation } from '../../src/data/database/database-error.ts';
import { listKeys } from '../../src/data/keys/key-list.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { revokeKey } from '../../src/data/keys/key-revocation.ts';
import { DomainError } from '../../src/errors.ts';
import { onServer } from '../setup/database.ts';
import { sealText } from '../setup/sealed-text.ts';
import {
  configColumns,
  createUser,
  newMasterKey,
  openSealedDatabase,
  type SealedDatabase,
  tokenColumns,
} from './encryption-setup.ts';

let sealed: SealedDatabase;

beforeAll(async () => {
  sealed = await openSealedDatabase();
});

beforeEach(() => sealed.reset());

afterAll(() => sealed.close());

/** Registers a second key and makes it the active one. */
async function promoteNewKey(): Promise<void> {
  const { prisma, keyring } = sealed;
  const next = newMasterKey();
  keyring.add(next);
  await registerKeys(prisma, keyring);
  keyring.promote(next.digest);
}

/** One config with two secrets and one user's token. */
async function createSecrets() {
  const { prisma } = sealed;
  const user = await createUser(prisma);
  const config = await prisma.mcpServerConfig.create({
    data: { ...configColumns(), apiKeyValue: sealText('a'), oauth2ClientSecret: sealText('b') },
  });
  await prisma.mcpServerUserToken.create({
    data: { userId: user.id, mcpServerConfigId: config.id, ...tokenColumns('c', 'd') },
  });
  return config;
}

test("the list shows each key's status and how many values it encrypts", async () => {
  const { prisma, keyring } = sealed;
  const former = keyring.active.digest;
  await createSecrets();
  await promoteNewKey();
  await prisma.mcpServerConfig.create({ data: { ...configColumns(), apiKeyValue: sealText('new') } });
  const keys = await listKeys(prisma, keyring);
  expect(keys).toMatchObject([
    { number: 1, digest: former, status: 'decrypt_only', isConfigured: true, sealedValueCount: 4, revokedAt: null },
    { number: 2, digest: keyring.active.digest, status: 'active', isConfigured: true, sealedValueCount: 1 },
  ]);
  const uses = keys[0]?.uses.map(({ table, column, count }) => [`${table}.${column}`, count]).sort();
  expect(uses).toEqual([
    ['mcp_server_configs.api_key_value', 1],
    ['mcp_server_configs.oauth2_client_secret', 1],
    ['mcp_server_user_tokens.access_token', 1],
    ['mcp_server_user_tokens.refresh_token', 1],
  ]);
});

test('an unused key is revoked permanently', async () => {
  const { prisma, keyring } = sealed;
  const former = keyring.active.digest;
  await promoteNewKey();
  await revokeKey(prisma, keyring, 1);
  await revokeKey(prisma, keyring, 1);
  const [key] = await listKeys(prisma, keyring);
  expect(key).toMatchObject({ number: 1, digest: former, status: 'revoked', isConfigured: false });
  expect(key?.revokedAt).toBeInstanceOf(Date);
});

test('a key in use is not revoked; the error says how many values and where', async () => {
  const { prisma, keyring } = sealed;
  await createSecrets();
  await promoteNewKey();
  const error = await revokeKey(prisma, keyring, 1).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DomainError);
  expect(error).toMatchObject({ code: 'CONFLICT', details: { field: 'number' } });
  expect(String(error)).toContain('4 values');
  expect(String(error)).toContain('mcp_server_user_tokens.refresh_token: 1');
  expect((await listKeys(prisma, keyring))[0]?.status).toBe('decrypt_only');
});

test('neither the active key nor an unknown one is revoked', async () => {
  const { prisma, keyring } = sealed;
  await expect(revokeKey(prisma, keyring, 1)).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(revokeKey(prisma, keyring, 99)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('the database itself refuses to revoke or delete a key in use', async () => {
  const { prisma } = sealed;
  await createSecrets();
  const attempts = [
    () =>
      prisma.encryptionKey.update({
        where: { number: 1 },
        data: { activeDigest: null, revokedDigest: 'x', revokedAt: new Date() },
      }),
    () => prisma.encryptionKey.delete({ where: { number: 1 } }),
    () => prisma.$executeRaw`DELETE FROM encryption_keys`,
    () => sealed.database.query("UPDATE encryption_keys SET active_digest = 'x'"),
  ];
  for (const attempt of attempts) {
    const error = await Promise.resolve(attempt()).catch((reason: unknown) => reason);
    expect(isForeignKeyViolation(error), String(error)).toBe(true);
  }
});

test('a revoked key encrypts nothing more, even from a gateway that has not noticed', async () => {
  const { prisma, keyring } = sealed;
  const former = keyring.active;
  await promoteNewKey();
  await revokeKey(prisma, keyring, 1);
  keyring.add(former);
  keyring.promote(former.digest);
  const error = await prisma.mcpServerConfig
    .create({ data: { ...configColumns(), apiKeyValue: sealText('late') } })
    .catch((reason: unknown) => reason);
  expect(isForeignKeyViolation(error)).toBe(true);
});

test.runIf(onServer)('a value that is being encrypted while its key is revoked keeps the key', async () => {
  const { prisma, keyring } = sealed;
  const former = keyring.active.digest;
  let revocation: Promise<unknown> = Promise.resolve();
  await prisma.$transaction(async (tx) => {
    await tx.mcpServerConfig.create({ data: { ...configColumns(), apiKeyValue: sealText('uncommitted') } });
    await promoteNewKey();
    revocation = revokeKey(prisma, keyring, 1).catch((reason: unknown) => reason);
    // The revocation counts no values yet, then waits for the key's row, which this transaction shares.
    await waitForLock();
  });
  expect(await revocation).toMatchObject({ code: 'CONFLICT' });
  expect(String(await revocation)).toContain('1 value (');
  expect(keyring.find(former)).toBeDefined();
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
