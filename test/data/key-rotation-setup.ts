import { randomUUID } from 'node:crypto';
import type { Keyring } from '../../src/crypto/keyring.ts';
import type { GatehousePrisma } from '../../src/data/database/prisma.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { SERVER_URL, sealText } from '../setup/sealed-text.ts';
import { configColumns, createUser, newMasterKey, tokenColumns } from './encryption-setup.ts';

/** Registers another key and makes it the active one. @returns the digest of the previous one */
export async function promoteNewKey({ prisma, keyring }: { prisma: GatehousePrisma; keyring: Keyring }) {
  const former = keyring.active.digest;
  const next = newMasterKey();
  keyring.add(next);
  await registerKeys(prisma, keyring);
  keyring.promote(next.digest);
  return former;
}

/** Few enough to be one statement each. A transaction of several waits for this process, which the database limits. */
const ROWS_AT_ONCE = 200;

/**
 * Creates configs with three secrets each, and two tokens of one user for each: five values per config, in every
 * column.
 */
export async function createSecrets(prisma: GatehousePrisma, count: number): Promise<{ id: string }[]> {
  const user = await createUser(prisma);
  const configs = Array.from({ length: count }, (_, index) => ({
    ...configColumns(),
    id: randomUUID(),
    oauth2ClientSecret: sealText(`client ${index}`),
    apiKeyValue: sealText(`key ${index}`),
    customHeaders: sealText(JSON.stringify({ 'X-Index': String(index) })),
  }));
  const tokens = configs.map(({ id }, index) => ({
    userId: user.id,
    mcpServerConfigId: id,
    ...tokenColumns(`access ${index}`, `refresh ${index}`),
  }));
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    await prisma.mcpServerConfig.createMany({ data: configs.slice(from, from + ROWS_AT_ONCE) });
    await prisma.mcpServerUserToken.createMany({ data: tokens.slice(from, from + ROWS_AT_ONCE) });
  }
  return configs;
}

/** Every stored secret, decrypted, by place. Throws if one cannot be decrypted. */
export async function readAllSecrets(prisma: GatehousePrisma): Promise<Record<string, string | undefined>> {
  const secrets: Record<string, string | undefined> = {};
  for (const row of await prisma.mcpServerConfig.findMany()) {
    secrets[`${row.id} client`] = row.oauth2ClientSecret?.openFor(SERVER_URL).expose();
    secrets[`${row.id} key`] = row.apiKeyValue?.openFor(SERVER_URL).expose();
    secrets[`${row.id} headers`] = row.customHeaders?.openFor(SERVER_URL).expose();
  }
  for (const row of await prisma.mcpServerUserToken.findMany()) {
    secrets[`${row.id} access`] = row.accessToken.openFor(SERVER_URL).expose();
    secrets[`${row.id} refresh`] = row.refreshToken?.openFor(SERVER_URL).expose();
  }
  return secrets;
}
