import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { isDeadlock, isLockTimeout } from './database-error.ts';

const MAX_DEADLOCKS = 3;
/** As long as the server lets any statement take. */
const STATEMENT_PATIENCE_MS = 30_000;

/**
 * Runs a statement or a transaction, and again after the database ended it in favour of others: it had no effect then.
 * That is nobody's fault. The third deadlock is an error, as is waiting for a lock in vain after the patience is over.
 */
export async function withRetries<Result>(patienceMs: number, run: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  for (let deadlocks = 0; ; ) {
    try {
      return await run();
    } catch (error) {
      if (isDeadlock(error)) deadlocks += 1;
      else if (!isLockTimeout(error)) throw error;
      if (deadlocks === MAX_DEADLOCKS || performance.now() - startedAt > patienceMs) throw error;
    }
  }
}

/** Runs a statement outside of transactions, with retries. */
export function retryStatement<Result>(run: () => Promise<Result>): Promise<Result> {
  return withRetries(STATEMENT_PATIENCE_MS, run);
}

/** Wraps a factory so that statements outside of transactions are retried. */
export function retryingStatements<Factory extends SqlDriverAdapterFactory>(factory: Factory): Factory {
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    const executeRaw = adapter.executeRaw.bind(adapter);
    adapter.queryRaw = (query) => retryStatement(() => queryRaw(query));
    adapter.executeRaw = (query) => retryStatement(() => executeRaw(query));
    return adapter;
  };
  return factory;
}
