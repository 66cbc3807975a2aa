import type { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { Migration } from './migration.ts';

/** A migration's script that the database refused. */
export interface ScriptFailure {
  migration: Migration;
  /** As the driver threw it; the schema engine keeps nothing of it. */
  error: unknown;
}

/**
 * Puts each migration's script and the note that it is finished into one transaction: the database takes a script that
 * is sent whole as one. So a process that is killed at any moment leaves a migration that is applied and noted, or
 * neither; Prisma's engine, which notes it afterwards, would leave one that nobody knows of.
 *
 * @returns the factory for the engine, and what the last script failed with
 */
export function createMigrationAdapter(
  factory: SqlMigrationAwareDriverAdapterFactory,
  migrations: readonly Migration[],
): { factory: SqlMigrationAwareDriverAdapterFactory; failure: () => ScriptFailure | undefined } {
  let failure: ScriptFailure | undefined;
  const watch = (adapter: SqlDriverAdapter): SqlDriverAdapter => {
    const executeScript = adapter.executeScript.bind(adapter);
    adapter.executeScript = async (script) => {
      const migration = migrations.find(({ sql }) => sql === script);
      if (migration === undefined) return executeScript(script);
      try {
        await executeScript(`${script}\n;\n${toFinishedNote(migration.name)}`);
      } catch (error) {
        failure = { migration, error };
        throw error;
      }
    };
    return adapter;
  };
  return {
    factory: {
      provider: factory.provider,
      adapterName: factory.adapterName,
      connect: async () => watch(await factory.connect()),
      connectToShadowDb: () => factory.connectToShadowDb(),
    },
    failure: () => failure,
  };
}

function toFinishedNote(name: string): string {
  return `UPDATE _prisma_migrations SET finished_at = now()
    WHERE migration_name = '${name.replaceAll("'", "''")}' AND finished_at IS NULL AND rolled_back_at IS NULL`;
}
