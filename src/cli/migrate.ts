import { readConfig } from '../config.ts';
import { applyMigrations } from '../data/migrations/migrations.ts';
import { openConfiguredDatabase } from './open-database.ts';

/** Applies all pending migrations and exits. */
export async function migrate(): Promise<void> {
  const database = await openConfiguredDatabase(readConfig());
  try {
    const applied = await applyMigrations(database);
    const report = applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`;
    process.stdout.write(`${report}\n`);
  } finally {
    await database.close();
  }
}
