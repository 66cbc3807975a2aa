import type { Keyring } from '../../crypto/keyring.ts';
import { conflict, DomainError, notFound } from '../../errors.ts';
import { isForeignKeyViolation } from '../database/database-error.ts';
import type { GatehousePrisma, PrismaStore } from '../database/prisma.ts';
import type { KeyFile } from './key-file-changes.ts';
import { countKeyUses, describeUses } from './key-usage.ts';

/**
 * Revokes a key for good, and takes it out of the keyring. Revoking it again does nothing. What decides are the foreign
 * keys, which also know of a value that is sealed at this very moment; the values are counted for the message only.
 *
 * @param inTransaction what else is kept together with the revocation
 * @throws DomainError NOT_FOUND; CONFLICT for the key that seals, and for one that still seals values, with `uses`
 */
export async function revokeKey(
  prisma: GatehousePrisma,
  keyring: Keyring,
  number: number,
  inTransaction: (tx: PrismaStore) => Promise<void> = async () => undefined,
): Promise<void> {
  const row = await prisma.encryptionKey.findUnique({ where: { number } });
  if (row === null) throw notFound('encryption key');
  const digest = row.activeDigest;
  if (digest === null) return;
  if (digest === keyring.active.digest) {
    throw conflict('number', `Key ${number} seals new values: make another key the first before you revoke it.`);
  }
  try {
    await prisma.$transaction(async (tx) => {
      await tx.encryptionKey.updateMany({
        where: { number, activeDigest: digest },
        data: { activeDigest: null, revokedDigest: digest, revokedAt: new Date() },
      });
      await inTransaction(tx);
    });
  } catch (error) {
    if (isForeignKeyViolation(error)) await assertUnused(prisma, number, digest);
    throw error;
  }
  keyring.remove(digest);
}

async function assertUnused(prisma: GatehousePrisma, number: number, digest: string): Promise<void> {
  const uses = (await countKeyUses(prisma)).get(digest) ?? [];
  if (uses.length === 0) return;
  const message = `Key ${number} still seals ${describeUses(uses)}: rotate first.`;
  throw new DomainError('CONFLICT', message, { field: 'number', uses });
}

/**
 * Takes keys that were revoked out of the keyring, and out of the key file where there is one: after another replica
 * revoked a key, or after a crash between a revocation and the change of the file. The key that seals stays; the start
 * and readiness complain about that.
 */
export async function forgetRevokedKeys(store: PrismaStore, keyring: Keyring, keyFile?: KeyFile): Promise<void> {
  const openers = keyring.keys.map(({ digest }) => digest).filter((digest) => digest !== keyring.active.digest);
  if (openers.length === 0) return;
  const revoked = await store.encryptionKey.findMany({ where: { revokedDigest: { in: openers } } });
  for (const { revokedDigest } of revoked) {
    if (revokedDigest === null) continue;
    await keyFile?.remove(revokedDigest);
    keyring.remove(revokedDigest);
  }
}
