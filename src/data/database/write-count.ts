import type {
  SqlDriverAdapter,
  SqlDriverAdapterFactory,
  SqlQueryable,
  Transaction,
} from '@prisma/driver-adapter-utils';

/** Counts possible writes, so that caches know when to check the database again. */
export interface WriteCount {
  /** Increases when a statement or transaction that may have written has finished. */
  value(): number;
  add(): unknown;
}

/** Creates a counter that starts at 0. */
export function createWriteCount(): WriteCount {
  let count = 0;
  return {
    value: () => count,
    add: () => {
      count += 1;
    },
  };
}

/** What appends entries to the audit log. No cache keeps any of it. */
const APPENDS = /^\s*WITH appended AS \(\s*INSERT INTO audit_entries\b/;

/** Whether a single statement may have written what a cache keeps. A false positive is harmless. */
export function mayWrite(sql: string): boolean {
  return !/^\s*SELECT\b/i.test(sql) && !APPENDS.test(sql);
}

/**
 * Wraps a factory so that its statements and transactions are counted when they finish, whether they succeed or fail: a
 * COMMIT whose answer was lost may still have taken effect.
 */
export function countingWrites<Factory extends SqlDriverAdapterFactory>(factory: Factory, writes: WriteCount): Factory {
  const connect = factory.connect.bind(factory);
  factory.connect = async () => counted(await connect(), writes);
  return factory;
}

function counted(adapter: SqlDriverAdapter, writes: WriteCount): SqlDriverAdapter {
  countStatements(adapter, writes, mayWrite);
  const startTransaction = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async (isolationLevel) => countEnd(await startTransaction(isolationLevel), writes);
  return adapter;
}

/** The writes of a transaction are invisible to others until it commits. Those that only read are not counted. */
function countEnd(transaction: Transaction, writes: WriteCount): Transaction {
  let hasWritten = false;
  const ended = { add: () => hasWritten && writes.add() };
  countStatements(transaction, ended, (sql) => {
    if (isEnd(sql)) return true;
    hasWritten ||= mayWrite(sql);
    return false;
  });
  for (const end of ['commit', 'rollback'] as const) {
    const run = transaction[end].bind(transaction);
    transaction[end] = () => run().finally(ended.add);
  }
  return transaction;
}

function isEnd(sql: string): boolean {
  return /^\s*(?:COMMIT|ROLLBACK)\b/i.test(sql);
}

function countStatements(
  queryable: SqlQueryable,
  writes: Pick<WriteCount, 'add'>,
  counts: (sql: string) => boolean,
): void {
  const queryRaw = queryable.queryRaw.bind(queryable);
  const executeRaw = queryable.executeRaw.bind(queryable);
  queryable.queryRaw = (query) => (counts(query.sql) ? queryRaw(query).finally(writes.add) : queryRaw(query));
  queryable.executeRaw = (query) => (counts(query.sql) ? executeRaw(query).finally(writes.add) : executeRaw(query));
}
