import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { isDeadlock, isLockTimeout } from './database-error.ts';

const MAX_ATTEMPTS = 3;
/** As long as the server lets any statement take. */
const LOCK_PATIENCE_MS = 30_000;

/**
 * Runs a statement or a transaction, and again after the database ended it in favour of others: it had no effect then.
 * That is nobody's fault. After a deadlock there are three attempts. What waits for locks is repeated for 30 seconds.
 */
export async function withRetries<Result>(run: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      const isAgain = isLockTimeout(error)
        ? performance.now() - startedAt < LOCK_PATIENCE_MS
        : isDeadlock(error) && attempt < MAX_ATTEMPTS;
      if (!isAgain) throw error;
    }
  }
}

/** Wraps a factory so that statements outside of transactions are retried. */
export function retryingStatements<Factory extends SqlDriverAdapterFactory>(factory: Factory): Factory {
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    const executeRaw = adapter.executeRaw.bind(adapter);
    adapter.queryRaw = (query) => withRetries(() => queryRaw(query));
    adapter.executeRaw = (query) => withRetries(() => executeRaw(query));
    return adapter;
  };
  return factory;
}
