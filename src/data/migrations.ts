import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Database } from './database.ts';
import { withSchemaEngine } from './schema-engine.ts';

const PRISMA_DIR = fileURLToPath(new URL('../../prisma/', import.meta.url));

/** No table or enum is managed from outside. */
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** One step from schema to schema. */
export interface Migration {
  /** The folder's name, e.g. `20261123000000_init`. */
  name: string;
  sql: string;
}

/** The database could not be brought to this build's schema; the message says why in one sentence. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Reads the migrations of this build, oldest first. */
export async function readMigrations(): Promise<Migration[]> {
  const dir = path.join(PRISMA_DIR, 'migrations');
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(path.join(dir, name, 'migration.sql'), 'utf8') })),
  );
}

/**
 * Brings the database to this build's schema, under a lock, recording each migration in `_prisma_migrations` as
 * `prisma migrate deploy` does.
 *
 * @returns the names of the migrations that were applied now
 * @throws MigrationError with one sentence that says which migration failed and why
 */
export async function applyMigrations(database: Database, migrations?: readonly Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  if (await isUpToDate(database, wanted)) return [];
  return database.withMigrationLock(async () => {
    // Another replica may have done the work while this one waited for the lock.
    if (await isUpToDate(database, wanted)) return [];
    try {
      return await withSchemaEngine(database.migrationAdapterFactory, undefined, async (engine) => {
        const migrationsList = toMigrationsList(wanted);
        const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
        return appliedMigrationNames;
      });
    } catch (error) {
      throw new MigrationError(describeEngineError(error), { cause: error });
    }
  });
}

/** Whether each migration of this build is applied, unchanged. Cheap: does not load the engine. */
export async function isUpToDate(database: Database, migrations?: readonly Migration[]): Promise<boolean> {
  const wanted = migrations ?? (await readMigrations());
  const [table] = await database.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present`);
  if (table?.['present'] !== true) return false;
  const rows = await database.query(
    'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  const applied = new Map(rows.map((row) => [row['migration_name'], row['checksum']]));
  return wanted.every(({ name, sql }) => applied.get(name) === checksum(sql));
}

/**
 * The SQL that would take the database to `schema.prisma`, or undefined when the two agree.
 * CHECK constraints, partial indexes, functions and triggers are invisible to Prisma and do not count.
 */
export async function findDrift(database: Database): Promise<string | undefined> {
  const datamodel = await readFile(path.join(PRISMA_DIR, 'schema.prisma'), 'utf8');
  const files = [{ path: 'schema.prisma', content: datamodel }];
  return withSchemaEngine(database.migrationAdapterFactory, datamodel, async (engine) => {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: PRISMA_DIR },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: NO_FILTERS,
    });
    return exitCode === 0 ? undefined : (stdout ?? '');
  });
}

function toMigrationsList(migrations: readonly Migration[]) {
  return {
    baseDir: path.join(PRISMA_DIR, 'migrations'),
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
    })),
  };
}

/** Prisma records the SHA-256 of the file, lower-case hexadecimal. */
function checksum(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

/** The engine rejects with an error whose message is JSON or has many lines: keep what an operator can use. */
function describeEngineError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const migration = /Migration name: (\S+)/.exec(text)?.[1];
  const reason =
    /Database error:\s*(?:ERROR: )?(.+)/.exec(text)?.[1] ?? text.split('\n').find((line) => line.trim() !== '');
  return migration === undefined ? `the migration failed: ${reason}` : `migration ${migration} failed: ${reason}`;
}
