import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_FOLDER } from '../../package.ts';

/** The folder of `schema.prisma` and the migrations. */
export const PRISMA_DIR = fileURLToPath(new URL('prisma/', PACKAGE_FOLDER));

/** One migration of the schema. */
export interface Migration {
  /** The folder's name, e.g. `20261123000000_init`. */
  name: string;
  sql: string;
}

/** Reads this build's migrations, oldest first. */
export async function readMigrations(): Promise<Migration[]> {
  const dir = path.join(PRISMA_DIR, 'migrations');
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(path.join(dir, name, 'migration.sql'), 'utf8') })),
  );
}
