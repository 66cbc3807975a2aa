import type { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { Migration } from './migration.ts';

/** A migration script that the database rejected. */
export interface ScriptFailure {
  migration: Migration;
  /** The driver's error. The schema engine does not preserve it. */
  error: unknown;
}

/**
 * Runs each migration script and the record of its completion in one transaction; the database treats a script that is
 * sent as a whole as one transaction. A process that is killed at any moment leaves a migration either applied and
 * recorded, or neither. Prisma's engine records it afterwards and could leave an applied migration unrecorded.
 *
 * @returns the factory for the engine, and the last script's failure
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
