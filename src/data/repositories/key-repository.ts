import type { Keyring } from '../../crypto/keyring.ts';
import { DomainError } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { GatehousePrisma, PrismaStore } from '../database/prisma.ts';
import type { KeyFile } from '../keys/key-file-changes.ts';
import { type KeyRecord, listKeys } from '../keys/key-list.ts';
import { KeyRegistryError, registerKeys } from '../keys/key-registry.ts';
import { revokeKey } from '../keys/key-revocation.ts';
import { type RotationOptions, rotateValues } from '../keys/key-rotation.ts';
import { verifyValues } from '../keys/key-verification.ts';
import { createAuditRepository, type NewAuditEntry } from './audit-repository.ts';
import { guarded } from './guarded.ts';

/** What the keys are kept in. */
export interface KeyRepositoryOptions {
  prisma: GatehousePrisma;
  keyring: Keyring;
  /** Where the keys are kept; absent when they come from the environment and cannot be changed from here. */
  keyFile?: KeyFile | undefined;
}

/** The master keys of this process and what they seal. Not to be used inside of a transaction. */
export type KeyRepository = ReturnType<typeof createKeyRepository>;

/** Makes the repository. It stands beside the store, because it changes the keyring too, which no transaction undoes. */
export function createKeyRepository({ prisma, keyring, keyFile }: KeyRepositoryOptions) {
  const find = async (hasDigest: (key: KeyRecord) => boolean): Promise<KeyRecord> => {
    const key = (await listKeys(prisma, keyring)).find(hasDigest);
    if (key === undefined) throw new Error('the key that was just written is not in the registry');
    return key;
  };

  return {
    list: guarded('encryptionKey.list', () => listKeys(prisma, keyring)),

    /**
     * Makes a new key that seals from now on.
     *
     * @throws DomainError CONFLICT when the keys come from the environment, or those that are there are not good
     */
    add: guarded('encryptionKey.manage', async (_args: undefined, viewer) => {
      if (keyFile === undefined) throw keysOfEnvironment();
      // On disk before anything is sealed with it, and first there only when the registry knows it: wherever this is
      // cut off, the next start has every key that it needs.
      const { digest } = await appendAndRegister(prisma, keyring, keyFile, (digest, tx) =>
        record(tx, { actor: viewer, action: 'encryptionKey.add', target: { type: 'encryption_key', label: digest } }),
      );
      await keyFile.promote(digest);
      keyring.promote(digest);
      return find((key) => key.digest === digest);
    }),

    /** Writes down what it did when it is done: each value is sealed anew by itself. */
    rotate: guarded('encryptionKey.manage', async (args: RotationOptions, viewer) => {
      const report = await rotateValues(prisma, keyring, args);
      if (args.dryRun === true) return report;
      const reason = `${report.resealed} values sealed anew, ${report.remaining} remain.`;
      await prisma.$transaction((tx) => record(tx, { actor: viewer, action: 'encryptionKey.rotate', reason }));
      return report;
    }),

    verify: guarded(
      'encryptionKey.manage',
      async (args: { onProgress?: ((done: number, total: number) => void) | undefined }, viewer) => {
        const report = await verifyValues(prisma, keyring, args);
        const reason = `${report.checked} values opened, ${report.failures.length} do not.`;
        await prisma.$transaction((tx) => record(tx, { actor: viewer, action: 'encryptionKey.verify', reason }));
        return report;
      },
    ),

    /** @throws DomainError NOT_FOUND; CONFLICT for the key that seals, and for one that still seals values */
    revoke: guarded('encryptionKey.manage', async ({ number }: { number: number }, viewer) => {
      const target = { type: 'encryption_key', id: String(number) } as const;
      await revokeKey(prisma, keyring, number, (tx) =>
        record(tx, { actor: viewer, action: 'encryptionKey.revoke', target }),
      );
      const revoked = await find((key) => key.number === number);
      // After the revocation: a refused one must not cost the key.
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
    // It seals nothing: without it the gateway is as ready as before.
    keyring.remove(key.digest);
    await keyFile.remove(key.digest);
    throw error instanceof KeyRegistryError ? new DomainError('CONFLICT', error.message) : error;
  }
  return key;
}

function keysOfEnvironment(): DomainError {
  return new DomainError('CONFLICT', 'The keys come from GATEHOUSE_ENCRYPTION_KEYS: add the new key there.');
}
