import { type Config, readConfig } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { FolderInUseError } from '../data/database/folder-lock.ts';
import { createPrisma } from '../data/database/prisma.ts';
import { registerKeys } from '../data/keys/key-registry.ts';
import { removeRevokedKeys } from '../data/keys/key-revocation.ts';
import { applyMigrations, isUpToDate } from '../data/migrations/migrations.ts';
import { createKeyRepository } from '../data/repositories/key-repository.ts';
import { createKeyService } from '../domain/keys/key-service.ts';
import { SYSTEM } from '../policy/viewer.ts';
import { CommandError } from './failure.ts';
import type { KeyAccess } from './key-access.ts';
import { createKeyClient } from './key-client.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { openConfiguredKeys } from './open-keys.ts';

/**
 * Runs a key command on the configured database. The embedded database can be open in one process only: if a running
 * gateway has it open, the command prints a notice and goes through the gateway instead.
 */
export async function withKeys<Result>(work: (keys: KeyAccess) => Promise<Result>): Promise<Result> {
  const config = readConfig();
  let database: Database;
  try {
    database = await openConfiguredDatabase(config);
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    process.stderr.write(`A gateway is using ${config.dataDir}: sending the command to ${config.publicUrl}.\n`);
    return work(createKeyClient());
  }
  try {
    return await withOpenedDatabase(config, database, work);
  } finally {
    await database.close();
  }
}

async function withOpenedDatabase<Result>(
  config: Config,
  database: Database,
  work: (keys: KeyAccess) => Promise<Result>,
): Promise<Result> {
  if (database.kind === 'embedded') await applyMigrations(database);
  else if (!(await isUpToDate(database))) {
    throw new CommandError('The database schema does not match this version of Gatehouse. Run `gatehouse migrate`.');
  }
  const { keyring, keyFile } = await openConfiguredKeys(config);
  const prisma = createPrisma(database, keyring);
  const service = createKeyService({ keys: createKeyRepository({ prisma, keyring, keyFile }) });
  // Not called by `list` and `verify`: they must also work when the keys do not match the registry.
  const register = async (): Promise<void> => {
    if (keyFile !== undefined) await removeRevokedKeys(prisma, keyring, keyFile);
    await registerKeys(prisma, keyring);
  };
  try {
    return await work({
      list: () => service.list(SYSTEM),
      async add() {
        await register();
        return service.add(SYSTEM);
      },
      async rotate(options) {
        await register();
        return service.rotate(SYSTEM, options);
      },
      verify: (onProgress) => service.verify(SYSTEM, { onProgress }),
      async revoke(number) {
        await service.revoke(SYSTEM, number);
      },
    });
  } finally {
    await prisma.$disconnect();
  }
}
