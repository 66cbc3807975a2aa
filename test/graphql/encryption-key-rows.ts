import { randomUUID } from 'node:crypto';
import type { GatehousePrisma } from '../../src/data/database/prisma.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { revokeKey } from '../../src/data/keys/key-revocation.ts';
import { newMasterKey } from '../data/encryption-setup.ts';
import type { TestGateway } from '../setup/gateway.ts';
import { sealText } from '../setup/sealed-text.ts';

/** Runs work on the gateway's database and keys, bypassing the gateway. */
export async function withPrisma<Result>(
  gateway: TestGateway,
  work: (prisma: GatehousePrisma) => Promise<Result>,
): Promise<Result> {
  return work(gateway.prisma());
}

/** Creates a revoked key. @returns its number */
export async function registerRevokedKey(gateway: TestGateway): Promise<number> {
  return withPrisma(gateway, async (prisma) => {
    const key = newMasterKey();
    gateway.keyring.add(key);
    const { registered } = await registerKeys(prisma, gateway.keyring);
    const number = registered[0] ?? 0;
    await revokeKey(prisma, gateway.keyring, number);
    return number;
  });
}

/** Copies a config's API key into its headers column, where it cannot be decrypted. */
export async function breakCustomHeaders({ database }: TestGateway, configId: string): Promise<void> {
  await database.query('UPDATE mcp_server_configs SET custom_headers = api_key_value WHERE id = $1::uuid', [configId]);
}

/** Encrypts a value with a key that the gateway does not have, like a lost one. @returns the key's digest */
export async function loseKeyOfApiKey(gateway: TestGateway, configId: string): Promise<string> {
  const { keyring } = gateway;
  const [lost, active] = [newMasterKey(), keyring.active];
  await withPrisma(gateway, async (prisma) => {
    keyring.add(lost);
    await registerKeys(prisma, keyring);
    keyring.promote(lost.digest);
    await prisma.mcpServerConfig.update({ where: { id: configId }, data: { apiKeyValue: sealText(randomUUID()) } });
    keyring.promote(active.digest);
    keyring.remove(lost.digest);
  });
  return lost.digest;
}
