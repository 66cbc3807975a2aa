import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { hasYielded } from './database-error.ts';

const MAX_ATTEMPTS = 3;

/**
 * Runs a statement or a transaction, and again after the database ended it in favour of others: it had no effect then.
 * That is nobody's fault.
 */
export async function withRetries<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !hasYielded(error)) throw error;
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
