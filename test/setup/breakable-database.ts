import type { SqlQueryable } from '@prisma/driver-adapter-utils';
import type { Database } from '../../src/data/database/database.ts';

/** A database of which statements with some text fail, as of one that is partly broken. */
export interface BreakableDatabase {
  database: Database;
  /** The statements with this text fail. Undefined: none. */
  broken: string | undefined;
}

/** Lets statements of a database fail. */
export function makeBreakable(database: Database): BreakableDatabase {
  const state: BreakableDatabase = { database, broken: undefined };
  const { adapterFactory } = database;
  const { provider, adapterName } = adapterFactory;
  const breakable = <Reads extends SqlQueryable>(reads: Reads): Reads => {
    const queryRaw = reads.queryRaw.bind(reads);
    reads.queryRaw = (query) =>
      state.broken !== undefined && query.sql.includes(state.broken)
        ? Promise.reject(new Error('the database broke'))
        : queryRaw(query);
    return reads;
  };
  const connect = async () => {
    const adapter = breakable(await adapterFactory.connect());
    const startTransaction = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (level) => breakable(await startTransaction(level));
    return adapter;
  };
  state.database = { ...database, adapterFactory: { ...adapterFactory, provider, adapterName, connect } };
  return state;
}
