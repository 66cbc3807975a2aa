import { inject } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openEmbeddedDatabase } from '../../src/data/database/embedded-database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { type EmbeddedFiles, FilledMemory, KeptMemory, loadFiles } from './embedded-files.ts';
import { createServerDatabase, lendServerDatabase, migratedTemplate } from './server-databases.ts';

/** Whether this run is on a PostgreSQL server: row locks and LISTEN across connections exist only there. */
export const onServer = inject('serverUrl') !== undefined;

/**
 * Whether this run is the only one of its file, or the one on the server. In a file for both databases, what does not
 * depend on the database runs only here.
 */
export const onMainDatabase = onServer || inject('alsoOnServer') !== true;

/**
 * A database of the calling test's own, of the kind that this run is on: migrated, without rows (or without tables,
 * with `empty`). Close it; it is removed at the end of the run.
 */
export async function openTestDatabase(options: { empty?: boolean } = {}): Promise<Database> {
  if (onServer && options.empty === true) return openOnServer(await createServerDatabase({ empty: true }));
  if (onServer) return openLent(migratedTemplate());
  return openInMemory(new FilledMemory(await readSnapshot(options.empty ? 'empty' : 'migrated')));
}

/**
 * Fills a migrated database once, so that any number of tests can open a copy of their own.
 *
 * @param fill returns what the tests have to know about the rows
 */
export async function makeTemplate<Result>(
  fill: (database: Database) => Promise<Result>,
): Promise<{ result: Result; openCopy(): Promise<Database> }> {
  if (onServer) {
    const url = await createServerDatabase();
    const database = await openOnServer(url);
    const result = await fill(database);
    await database.close();
    return { result, openCopy: () => openLent(new URL(url).pathname.slice(1)) };
  }
  const memory = new KeptMemory(await readSnapshot('migrated'));
  const database = await openInMemory(memory);
  const result = await fill(database);
  await database.close();
  return { result, openCopy: () => openInMemory(new FilledMemory(memory.kept)) };
}

function openOnServer(url: string): Promise<Database> {
  return openServerDatabase(url, { poolSize: 10 });
}

/** Opens a copy of a template that is given back when it is closed. */
async function openLent(template: string): Promise<Database> {
  const { url, giveBack } = await lendServerDatabase(template);
  const database = await openOnServer(url);
  let closing: Promise<void> | undefined;
  return {
    ...database,
    close() {
      closing ??= database.close().then(giveBack);
      return closing;
    },
  };
}

function openInMemory(fs: FilledMemory): Promise<Database> {
  return openEmbeddedDatabase('memory://', { fs });
}

const snapshots = new Map<string, Promise<EmbeddedFiles>>();

/** Each worker reads a file once. */
function readSnapshot(kind: 'empty' | 'migrated'): Promise<EmbeddedFiles> {
  const file = inject('embeddedSnapshots')?.[kind];
  if (file === undefined) throw new Error('this project has no database: move the test, see test/README.md');
  const known = snapshots.get(file) ?? loadFiles(file);
  snapshots.set(file, known);
  return known;
}
