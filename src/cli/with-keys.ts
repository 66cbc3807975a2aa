import { readConfig } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { FolderInUseError } from '../data/database/folder-lock.ts';
import type { KeyAccess } from './key-access.ts';
import { createKeyClient } from './key-client.ts';
import { openConfiguredDatabase } from './open-database.ts';

/**
 * Runs a key command on the configured database. The embedded database can be open in one process only: if a running
 * gateway has it open, the command prints a notice and goes through the gateway instead.
 */
export async function withKeys<Result>(work: (keys: KeyAccess) => Promise<Result>): Promise<Result> {
  const config = readConfig();
  let database: Database;
  try {
    database = await openConfiguredDatabase(config);
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    process.stderr.write(`A gateway is using ${config.dataDir}: sending the command to ${config.publicUrl}.\n`);
    return work(createKeyClient());
  }
  try {
    // Only now: a command that goes through a gateway needs no database client.
    const { withOpenedKeys } = await import('./with-opened-keys.ts');
    return await withOpenedKeys(config, database, work);
  } finally {
    await database.close();
  }
}
