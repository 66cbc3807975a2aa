import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { acquireFolderLock } from '../data/database/folder-lock.ts';
import { fillFolder } from '../data/database/prepared-folder.ts';
import { limitWasmTiering } from './engine-settings.ts';
import { CommandError } from './failure.ts';

/**
 * Opens the configured database: a PostgreSQL server, or the embedded database after locking its folder. Loads only the
 * driver of that one.
 *
 * @throws CommandError, FolderInUseError
 */
export async function openConfiguredDatabase(
  config: Config,
  onIdleError: (error: Error) => void = () => undefined,
): Promise<Database> {
  limitWasmTiering();
  if (config.databaseUrl !== undefined) {
    const url = config.databaseUrl.expose();
    const { openServerDatabase } = await import('../data/database/server-database.ts');
    try {
      return await openServerDatabase(url, { onIdleError });
    } catch (error) {
      throw new CommandError(`Cannot use the database at ${withoutPassword(url)}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
  const lock = await acquireFolderLock(config.dataDir);
  try {
    const folder = path.join(config.dataDir, 'database');
    // PGlite creates world-readable files. The mode of this folder keeps other users out.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const database = await openEmbedded(folder);
    return {
      ...database,
      async close() {
        await database.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openEmbedded(folder: string): Promise<Database> {
  const { openEmbeddedDatabase } = await import('../data/database/embedded-database.ts');
  try {
    await fillFolder(folder);
    return await openEmbeddedDatabase(folder);
  } catch (error) {
    throw new CommandError(`Cannot open the embedded database in ${folder}: ${reasonOf(error)}`, { cause: error });
  }
}

function withoutPassword(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}${port === '' ? '' : `:${port}`}${pathname}`;
}

/** When Node tries several addresses, it throws an AggregateError that has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
