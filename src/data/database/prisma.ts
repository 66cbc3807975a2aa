import type { Keyring } from '../../crypto/keyring.ts';
import { PrismaClient } from '../generated/client.ts';
import { readRelations } from '../sealing/relations.ts';
import type { SealingHooks } from '../sealing/sealed-value.ts';
import { createEncryptionExtension } from '../sealing/sealing-extension.ts';
import type { Database } from './database.ts';
import { withRetries } from './retries.ts';

/** How long a transaction waits for a connection. The embedded database has a single connection. */
const TRANSACTION_MAX_WAIT_MS = 10_000;
const TRANSACTION_TIMEOUT_MS = 15_000;

/**
 * Creates the Prisma client for an open database. Every write is sealed and every read opens values lazily; there is no
 * client without this. Call `$disconnect` before closing the database.
 *
 * @param keyring may change later: values are sealed with the key that is active at that moment
 */
export function createPrisma(database: Database, keyring: Keyring, hooks: SealingHooks = {}) {
  const client = new PrismaClient({
    adapter: database.adapterFactory,
    // Prisma's shortest error format. It is still not safe to log; see scrubDatabaseError.
    errorFormat: 'minimal',
    transactionOptions: { maxWait: TRANSACTION_MAX_WAIT_MS, timeout: TRANSACTION_TIMEOUT_MS },
  });
  return client.$extends(createEncryptionExtension(keyring, readRelations(client), hooks));
}

/** The gateway's database client. */
export type GatehousePrisma = ReturnType<typeof createPrisma>;

/** The client inside an interactive transaction, or the full client. Repositories work with either. */
export type PrismaStore = Parameters<Parameters<GatehousePrisma['$transaction']>[0]>[0];

/** Runs `work` in one transaction, and again after the database rolled it back in favour of others. */
export function runTransaction<Result>(
  prisma: GatehousePrisma,
  work: (tx: PrismaStore) => Promise<Result>,
  options?: { isolationLevel: 'RepeatableRead' },
): Promise<Result> {
  return withRetries(TRANSACTION_TIMEOUT_MS, () => prisma.$transaction(work, options));
}
