import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Database } from '../database/database.ts';
import { type Migration, PRISMA_DIR, readMigrations } from './migration.ts';
import { createMigrationAdapter, type ScriptFailure } from './migration-adapter.ts';
import { withSchemaEngine } from './schema-engine.ts';

/** No table or enum is managed from outside. */
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** The database could not be brought to this build's schema; the message says why in one sentence. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
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
    await assertUnchanged(database, wanted);
    await giveUpUnfinished(database);
    const adapter = createMigrationAdapter(database.migrationAdapterFactory, wanted);
    try {
      return await withSchemaEngine(adapter.factory, undefined, async (engine) => {
        const migrationsList = toMigrationsList(wanted);
        const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
        return appliedMigrationNames;
      });
    } catch (error) {
      const message = describeFailure(adapter.failure(), error);
      // So that the next start, with a migration that works, can go on; when the database is gone, that start does it.
      await giveUpUnfinished(database).catch(() => undefined);
      throw new MigrationError(message, { cause: error });
    }
  });
}

/** Whether each migration of this build is applied, unchanged. Cheap: does not load the engine. */
export async function isUpToDate(database: Database, migrations?: readonly Migration[]): Promise<boolean> {
  const wanted = migrations ?? (await readMigrations());
  const applied = await readApplied(database);
  return wanted.every(({ name, sql }) => applied.get(name) === checksum(sql));
}

/** The checksums of the migrations that are applied, by name. */
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

/** The engine would leave a migration out that was edited after it was applied, and never be up to date. */
async function assertUnchanged(database: Database, wanted: readonly Migration[]): Promise<void> {
  const applied = await readApplied(database);
  const changed = wanted.find(({ name, sql }) => applied.has(name) && applied.get(name) !== checksum(sql));
  if (changed === undefined) return;
  throw new MigrationError(
    `migration ${changed.name} was changed after it was applied to this database; bring its file back as it was`,
  );
}

/**
 * Records unfinished migrations as rolled back, as `prisma migrate resolve` does: the database kept nothing of them,
 * see `createMigrationAdapter`. Call it under the lock.
 */
async function giveUpUnfinished(database: Database): Promise<void> {
  if (!(await hasRecords(database))) return;
  await database.query(
    'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL',
  );
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

/** One sentence that an operator can use, without the many lines and places of the engine. */
function describeFailure(failure: ScriptFailure | undefined, error: unknown): string {
  if (failure === undefined) return `the migrations failed: ${toFirstLine(error)}`;
  const { migration, error: reason } = failure;
  return `migration ${migration.name} failed: ${toFirstLine(reason)}; nothing of it was kept`;
}

function toFirstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n').find((line) => line.trim() !== '') ?? text).trim();
}
