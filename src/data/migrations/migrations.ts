import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Database } from '../database/database.ts';
import { type Migration, PRISMA_DIR, readMigrations } from './migration.ts';
import { createMigrationAdapter, type ScriptFailure } from './migration-adapter.ts';
import { withSchemaEngine } from './schema-engine.ts';

/** No table or enum is managed from outside. */
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** The database could not be migrated to this build's schema. The message gives the reason in one sentence. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/**
 * Migrates the database to this build's schema under a lock, and records each migration in `_prisma_migrations` as
 * `prisma migrate deploy` does.
 *
 * @returns the names of the newly applied migrations
 * @throws MigrationError with one sentence that says which migration failed and why
 */
export async function applyMigrations(database: Database, migrations?: readonly Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  if (await isUpToDate(database, wanted)) return [];
  return database.withMigrationLock(async () => {
    // Another replica may have migrated while this one waited for the lock.
    if (await isUpToDate(database, wanted)) return [];
    await assertUnchanged(database, wanted);
    await markUnfinishedRolledBack(database);
    const adapter = createMigrationAdapter(database.migrationAdapterFactory, wanted);
    try {
      return await withSchemaEngine(adapter.factory, undefined, async (engine) => {
        const migrationsList = toMigrationsList(wanted);
        const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
        return appliedMigrationNames;
      });
    } catch (error) {
      const message = describeFailure(adapter.failure(), error);
      // Mark it as rolled back, so that the next start can continue with a corrected migration. If the database is
      // down, that start does it.
      await markUnfinishedRolledBack(database).catch(() => undefined);
      throw new MigrationError(message, { cause: error });
    }
  });
}

/** Whether every migration of this build is applied and unchanged. Cheap: does not load the engine. */
export async function isUpToDate(database: Database, migrations?: readonly Migration[]): Promise<boolean> {
  const wanted = migrations ?? (await readMigrations());
  const applied = await readApplied(database);
  return wanted.every(({ name, sql }) => applied.get(name) === checksum(sql));
}

/** The checksums of the applied migrations, by name. */
async function readApplied(database: Database): Promise<Map<unknown, unknown>> {
  if (!(await hasRecords(database))) return new Map();
  const rows = await database.query(
    'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  return new Map(rows.map((row) => [row['migration_name'], row['checksum']]));
}

async function hasRecords(database: Database): Promise<boolean> {
  const [table] = await database.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present`);
  return table?.['present'] === true;
}

/** The engine would skip a migration that was edited after it was applied, and would never be up to date. */
async function assertUnchanged(database: Database, wanted: readonly Migration[]): Promise<void> {
  const applied = await readApplied(database);
  const changed = wanted.find(({ name, sql }) => applied.has(name) && applied.get(name) !== checksum(sql));
  if (changed === undefined) return;
  throw new MigrationError(
    `migration ${changed.name} was changed after it was applied to this database; restore the original file`,
  );
}

/**
 * Records unfinished migrations as rolled back, as `prisma migrate resolve` does. The database kept nothing of them;
 * see `createMigrationAdapter`. Requires the migration lock.
 */
async function markUnfinishedRolledBack(database: Database): Promise<void> {
  if (!(await hasRecords(database))) return;
  await database.query(
    'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL',
  );
}

/**
 * Returns the SQL that would change the database to match `schema.prisma`, or undefined when they match. CHECK
 * constraints, partial indexes, functions and triggers are invisible to Prisma and are ignored.
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

/** The SHA-256 of the file in lower-case hexadecimal, as Prisma records it. */
function checksum(sql: string): string {
  return hash('sha256', sql, 'hex');
}

/** Describes the failure in one sentence for the operator, without the engine's multi-line output. */
function describeFailure(failure: ScriptFailure | undefined, error: unknown): string {
  if (failure === undefined) return `the migrations failed: ${toFirstLine(error)}`;
  const { migration, error: reason } = failure;
  return `migration ${migration.name} failed: ${toFirstLine(reason)}; none of its changes were kept`;
}

function toFirstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n').find((line) => line.trim() !== '') ?? text).trim();
}
