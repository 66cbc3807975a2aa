import type { SqlDriverAdapter, SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { Database } from '../../src/data/database/database.ts';

/** A database whose statements through Prisma are recorded, without the polling of the change feed. */
export interface LoggedDatabase {
  database: Database;
  statements: string[];
}

/** Records every statement that Prisma sends to a database. */
export function logStatements(database: Database): LoggedDatabase {
  const statements: string[] = [];
  const note = (sql: string): void => {
    if (!/config_changes|feed_counter/.test(sql)) statements.push(sql);
  };
  const watch = (adapter: SqlDriverAdapter): SqlDriverAdapter => {
    const queryRaw = adapter.queryRaw.bind(adapter);
    const executeRaw = adapter.executeRaw.bind(adapter);
    adapter.queryRaw = (query) => {
      note(query.sql);
      return queryRaw(query);
    };
    adapter.executeRaw = (query) => {
      note(query.sql);
      return executeRaw(query);
    };
    return adapter;
  };
  const factory: SqlDriverAdapterFactory = {
    ...database.adapterFactory,
    provider: database.adapterFactory.provider,
    adapterName: database.adapterFactory.adapterName,
    connect: async () => watch(await database.adapterFactory.connect()),
  };
  return { database: { ...database, adapterFactory: factory }, statements };
}
