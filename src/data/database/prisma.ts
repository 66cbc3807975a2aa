import type { Keyring } from '../../crypto/keyring.ts';
import { PrismaClient } from '../generated/client.ts';
import { readRelations } from '../sealing/relations.ts';
import type { SealingHooks } from '../sealing/sealed-value.ts';
import { createEncryptionExtension } from '../sealing/sealing-extension.ts';
import type { Database } from './database.ts';

/** How long a transaction waits for a connection. The embedded database has a single connection. */
const TRANSACTION_MAX_WAIT_MS = 10_000;
const TRANSACTION_TIMEOUT_MS = 15_000;

/** A connection of Prisma to a database. It knows nothing of sealing: only `createPrisma` may use it. */
export type DatabaseClient = PrismaClient;

/** Connects Prisma to an open database. */
export function openDatabaseClient(database: Database): DatabaseClient {
  return new PrismaClient({
    adapter: database.adapterFactory,
    // Prisma's shortest error format. It is still not safe to log; see scrubDatabaseError.
    errorFormat: 'minimal',
    transactionOptions: { maxWait: TRANSACTION_MAX_WAIT_MS, timeout: TRANSACTION_TIMEOUT_MS },
  });
}

/**
 * Creates the Prisma client for an open database. Every write is sealed and every read opens values lazily; there is no
 * client without this. Call `$disconnect` before closing the database.
 *
 * @param keyring may change later: values are sealed with the key that is active at that moment
 * @param client one that is open already: opening another takes 50 ms of processor time
 */
export function createPrisma(
  database: Database,
  keyring: Keyring,
  hooks: SealingHooks = {},
  client: DatabaseClient = openDatabaseClient(database),
) {
  return client.$extends(createEncryptionExtension(keyring, readRelations(client), hooks));
}

/** The gateway's database client. */
export type GatehousePrisma = ReturnType<typeof createPrisma>;

/** The client inside an interactive transaction, or the full client. Repositories work with either. */
export type PrismaStore = Parameters<Parameters<GatehousePrisma['$transaction']>[0]>[0];
