import type {
  SqlDriverAdapter,
  SqlDriverAdapterFactory,
  SqlQueryable,
  Transaction,
} from '@prisma/driver-adapter-utils';

/** Counts what may have written, so that whoever keeps rows in memory knows that he has to look. */
export interface WriteCount {
  /** Goes up with each statement and transaction that may have written something, as soon as it is over. */
  value(): number;
  add(): void;
}

/** Makes a count that begins at 0. */
export function createWriteCount(): WriteCount {
  let count = 0;
  return {
    value: () => count,
    add: () => {
      count += 1;
    },
  };
}

/** Whether a statement on its own can have changed anything. Too often yes does no harm. */
export function mayWrite(sql: string): boolean {
  return !/^\s*SELECT\b/i.test(sql);
}

/**
 * The same factory, whose statements and transactions are counted when they are over, well or badly: a COMMIT whose
 * answer was lost may have been done.
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

function countEnd(transaction: Transaction, writes: WriteCount): Transaction {
  // What a transaction does is of no concern to others before it is committed.
  countStatements(transaction, writes, (sql) => /^\s*COMMIT\b/i.test(sql));
  for (const end of ['commit', 'rollback'] as const) {
    const run = transaction[end].bind(transaction);
    transaction[end] = () => run().finally(writes.add);
  }
  return transaction;
}

function countStatements(queryable: SqlQueryable, writes: WriteCount, counts: (sql: string) => boolean): void {
  const queryRaw = queryable.queryRaw.bind(queryable);
  const executeRaw = queryable.executeRaw.bind(queryable);
  queryable.queryRaw = (query) => (counts(query.sql) ? queryRaw(query).finally(writes.add) : queryRaw(query));
  queryable.executeRaw = (query) => (counts(query.sql) ? executeRaw(query).finally(writes.add) : executeRaw(query));
}
