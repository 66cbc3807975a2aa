import type { Keyring } from '../../crypto/keyring.ts';
import { PrismaClient } from '../generated/client.ts';
import { readRelations } from '../sealing/relations.ts';
import type { SealingHooks } from '../sealing/sealed-value.ts';
import { createEncryptionExtension } from '../sealing/sealing-extension.ts';
import type { Database } from './database.ts';

/** How long a transaction waits for a connection: the embedded database has one for everybody. */
const TRANSACTION_MAX_WAIT_MS = 10_000;
const TRANSACTION_TIMEOUT_MS = 15_000;

/**
 * Puts Prisma over an opened database, with sealing on every write and lazy opening on every read. There is no way
 * around to a client without. `$disconnect` it before the database is closed.
 *
 * @param keyring may change later: what is sealed next takes the key that is active then
 */
export function createPrisma(database: Database, keyring: Keyring, hooks: SealingHooks = {}) {
  const client = new PrismaClient({
    adapter: database.adapterFactory,
    // The least that Prisma prints of a failed call. It is not safe to log yet: scrubDatabaseError.
    errorFormat: 'minimal',
    transactionOptions: { maxWait: TRANSACTION_MAX_WAIT_MS, timeout: TRANSACTION_TIMEOUT_MS },
  });
  return client.$extends(createEncryptionExtension(keyring, readRelations(client), hooks));
}

/** The gateway's database client. */
export type GatehousePrisma = ReturnType<typeof createPrisma>;

/** The client inside of an interactive transaction, or the whole one: what repositories work with. */
export type PrismaStore = Parameters<Parameters<GatehousePrisma['$transaction']>[0]>[0];
