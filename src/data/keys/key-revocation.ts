import type { Keyring } from '../../crypto/keyring.ts';
import { conflict, DomainError, notFound } from '../../errors.ts';
import { isForeignKeyViolation } from '../database/database-error.ts';
import { type GatehousePrisma, type PrismaStore, runTransaction } from '../database/prisma.ts';
import type { KeyFile } from './key-file-changes.ts';
import { countKeyUses } from './key-usage.ts';
import { describeUses } from './key-use.ts';

/**
 * Revokes a key permanently and removes it from the keyring. Revoking a revoked key does nothing. The foreign keys
 * decide whether the key is unused, because they also see a value that is being sealed right now; the values are
 * counted only for the message.
 *
 * @param inTransaction further work to commit together with the revocation
 * @throws DomainError NOT_FOUND; CONFLICT for the active key, and for a key that still seals values, with `uses`
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
    throw conflict('number', `Key ${number} seals new values: put another key first before you revoke it.`);
  }
  try {
    await runTransaction(prisma, async (tx) => {
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
 * Removes revoked keys from the keyring, and from the key file if there is one: after another replica revoked a key, or
 * after a crash between a revocation and the change of the file. The active key stays; startup and readiness report it
 * as a problem.
 */
export async function removeRevokedKeys(store: PrismaStore, keyring: Keyring, keyFile?: KeyFile): Promise<void> {
  const openers = keyring.keys.map(({ digest }) => digest).filter((digest) => digest !== keyring.active.digest);
  if (openers.length === 0) return;
  const revoked = await store.encryptionKey.findMany({ where: { revokedDigest: { in: openers } } });
  for (const { revokedDigest } of revoked) {
    if (revokedDigest === null) continue;
    await keyFile?.remove(revokedDigest);
    keyring.remove(revokedDigest);
  }
}
