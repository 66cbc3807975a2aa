import type { SqlDriverAdapterFactory, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';

/** A row of a raw query: column names and values as the driver parses them. */
export type RawRow = Record<string, unknown>;

/** An open subscription to a notification channel of the database. */
export interface Listener {
  /** Whether notifications arrive at the moment. When they do not, poll the database instead. */
  isConnected(): boolean;
  close(): Promise<void>;
}

/** An open PostgreSQL database, embedded or on a server, below Prisma. */
export interface Database {
  readonly kind: 'embedded' | 'server';
  /** The adapter for Prisma Client. */
  readonly adapterFactory: SqlDriverAdapterFactory;
  /** The adapter for the schema engine. It sends each migration script as a whole. */
  readonly migrationAdapterFactory: SqlMigrationAwareDriverAdapterFactory;
  /** Runs one parameterised statement outside Prisma. Rejects with the driver's error. */
  query(sql: string, parameters?: readonly unknown[]): Promise<RawRow[]>;
  /** Runs `work` while holding the migration lock, so that no other process migrates this database at the same time. */
  withMigrationLock<Result>(work: () => Promise<Result>): Promise<Result>;
  /**
   * Subscribes to a channel. Calls `onNotify` with the payload for each notification, and without a payload whenever
   * notifications may have been missed. Reconnects by itself.
   */
  listen(channel: string, onNotify: (payload?: string) => void): Promise<Listener>;
  /**
   * Increases when a statement or transaction that may have written through this object has finished. Caches of rows
   * must check the database again when it has changed.
   */
  writeCount(): number;
  /** Current connections of the pool: `total` open, `idle` of those, `waiting` callers. */
  poolUsage(): { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}
