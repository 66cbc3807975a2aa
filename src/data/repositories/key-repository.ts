import { createSharedRun } from '../../cache/shared-run.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { DomainError } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { type GatehousePrisma, type PrismaStore, runTransaction } from '../database/prisma.ts';
import type { KeyFile } from '../keys/key-file-changes.ts';
import { type KeyRecord, listKeys } from '../keys/key-list.ts';
import { registerKeys } from '../keys/key-registry.ts';
import { KeyRegistryError } from '../keys/key-registry-error.ts';
import { revokeKey } from '../keys/key-revocation.ts';
import { type RotationOptions, rotateValues } from '../keys/key-rotation.ts';
import { verifyValues } from '../keys/key-verification.ts';
import { createAuditRepository, type NewAuditEntry } from './audit-repository.ts';
import { guarded } from './guarded.ts';

/** What the keys are kept in. */
export interface KeyRepositoryOptions {
  prisma: GatehousePrisma;
  keyring: Keyring;
  /** The key file. Absent when the keys come from the environment and cannot be changed here. */
  keyFile?: KeyFile | undefined;
}

/** The master keys of this process and the values they seal. Not for use inside a transaction. */
export type KeyRepository = ReturnType<typeof createKeyRepository>;

/**
 * Creates the repository. It is separate from the store because it also changes the keyring, which no transaction rolls
 * back.
 */
export function createKeyRepository({ prisma, keyring, keyFile }: KeyRepositoryOptions) {
  const find = async (hasDigest: (key: KeyRecord) => boolean): Promise<KeyRecord> => {
    const key = (await listKeys(prisma, keyring)).find(hasDigest);
    if (key === undefined) throw new Error('the key that was just written is not in the registry');
    return key;
  };

  const verifyShared = createSharedRun(() => verifyValues(prisma, keyring));

  return {
    list: guarded('encryptionKey.list', () => listKeys(prisma, keyring)),

    /**
     * Creates a key that seals from now on.
     *
     * @throws DomainError CONFLICT when the keys come from the environment, or the existing keys have problems
     */
    add: guarded('encryptionKey.manage', async (_args: undefined, viewer) => {
      if (keyFile === undefined) throw keysOfEnvironment();
      // The key is written to disk before it seals anything, and moved to the front only after it is registered.
      // Whenever this is interrupted, the next start has every key it needs.
      const { digest } = await appendAndRegister(prisma, keyring, keyFile, (digest, tx) =>
        record(tx, { actor: viewer, action: 'encryptionKey.add', target: { type: 'encryption_key', label: digest } }),
      );
      await keyFile.promote(digest);
      keyring.promote(digest);
      return find((key) => key.digest === digest);
    }),

    /** Rotates, and records it in the audit log at the end: each value is resealed on its own. */
    rotate: guarded('encryptionKey.manage', async (args: RotationOptions, viewer) => {
      const report = await rotateValues(prisma, keyring, args);
      if (args.dryRun === true) return report;
      const reason = `${report.resealed} values resealed, ${report.remaining} remain.`;
      await runTransaction(prisma, (tx) => record(tx, { actor: viewer, action: 'encryptionKey.rotate', reason }));
      return report;
    }),

    /** Without `onProgress`, everyone who asks at the same time gets the same report. */
    verify: guarded(
      'encryptionKey.manage',
      async (args: { onProgress?: ((done: number, total: number) => void) | undefined }, viewer) => {
        const report = await (args.onProgress === undefined ? verifyShared() : verifyValues(prisma, keyring, args));
        const reason = `${report.checked} values opened, ${report.failures.length} do not.`;
        await runTransaction(prisma, (tx) => record(tx, { actor: viewer, action: 'encryptionKey.verify', reason }));
        return report;
      },
    ),

    /** @throws DomainError NOT_FOUND; CONFLICT for the active key, and for a key that still seals values */
    revoke: guarded('encryptionKey.manage', async ({ number }: { number: number }, viewer) => {
      const target = { type: 'encryption_key', id: String(number) } as const;
      await revokeKey(prisma, keyring, number, (tx) =>
        record(tx, { actor: viewer, action: 'encryptionKey.revoke', target }),
      );
      const revoked = await find((key) => key.number === number);
      // After the revocation: a refused revocation must not lose the key.
      await keyFile?.remove(revoked.digest);
      return revoked;
    }),
  };
}

function record(tx: PrismaStore, entry: NewAuditEntry): Promise<void> {
  return createAuditRepository(tx).append(SYSTEM, entry);
}

async function appendAndRegister(
  prisma: GatehousePrisma,
  keyring: Keyring,
  keyFile: KeyFile,
  onRegistered: (digest: string, tx: PrismaStore) => Promise<void>,
) {
  const key = await keyFile.append();
  keyring.add(key);
  try {
    await registerKeys(prisma, keyring, (tx) => onRegistered(key.digest, tx));
  } catch (error) {
    // The key seals nothing, so the gateway stays ready without it.
    keyring.remove(key.digest);
    await keyFile.remove(key.digest);
    throw error instanceof KeyRegistryError ? new DomainError('CONFLICT', error.message) : error;
  }
  return key;
}

function keysOfEnvironment(): DomainError {
  return new DomainError('CONFLICT', 'The keys come from GATEHOUSE_ENCRYPTION_KEYS: add the new key there.');
}
