import type { SqlDriverAdapterFactory, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';

/** A row of a raw query: column name to value as the driver parses it. */
export type RawRow = Record<string, unknown>;

/** A standing subscription to a channel of the database. */
export interface Listener {
  /** Whether notifications come now; while not, ask the database. */
  isConnected(): boolean;
  close(): Promise<void>;
}

/** One opened PostgreSQL, embedded or on a server, before Prisma is put on top of it. */
export interface Database {
  readonly kind: 'embedded' | 'server';
  /** What Prisma Client talks through. */
  readonly adapterFactory: SqlDriverAdapterFactory;
  /** What the schema engine talks through: sends migration scripts whole. */
  readonly migrationAdapterFactory: SqlMigrationAwareDriverAdapterFactory;
  /** Runs one parameterised statement outside of Prisma. Rejects with the driver's error. */
  query(sql: string, parameters?: readonly unknown[]): Promise<RawRow[]>;
  /** Runs `work` while no other process can do the same on this database. */
  withMigrationLock<Result>(work: () => Promise<Result>): Promise<Result>;
  /**
   * Calls back at each notification on a channel, with what it carries, and whenever some may have been missed, with
   * nothing. Goes on by itself when the connection breaks.
   */
  listen(channel: string, onNotify: (payload?: string) => void): Promise<Listener>;
  /**
   * Goes up with each statement and transaction that may have written something through this object, as soon as it is
   * over: who remembers rows has to look again when it did.
   */
  writeCount(): number;
  /** Connections of the pool now: `total` open, `idle` of these, `waiting` callers. */
  poolUsage(): { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}
