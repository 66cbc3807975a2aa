import type { Config } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { createPrisma } from '../data/database/prisma.ts';
import { registerKeys } from '../data/keys/key-registry.ts';
import { removeRevokedKeys } from '../data/keys/key-revocation.ts';
import { applyMigrations, isUpToDate } from '../data/migrations/migrations.ts';
import { createKeyRepository } from '../data/repositories/key-repository.ts';
import { createKeyService } from '../domain/keys/key-service.ts';
import { SYSTEM } from '../policy/viewer.ts';
import { CommandError } from './failure.ts';
import type { KeyAccess } from './key-access.ts';
import { openConfiguredKeys } from './open-keys.ts';

/** Runs a key command on an open database, which it migrates if that is the embedded one. */
export async function withOpenedKeys<Result>(
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
