import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { inject } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openEmbeddedDatabase, wrapPglite } from '../../src/data/database/embedded-database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';

/** Whether this run is on a PostgreSQL server: row locks and LISTEN across connections exist only there. */
export const onServer = inject('serverUrl') !== undefined;

/**
 * Whether this run is the only one of its file, or the one on the server. In a file for both databases, what does not
 * depend on the database runs only here.
 */
export const onMainDatabase = onServer || inject('alsoOnServer') !== true;

/**
 * Creates a database on the test server, copied from the migrated template or another one, and returns its URL. Only
 * with `onServer`.
 */
export async function createServerDatabase(options: { empty?: boolean; template?: string } = {}): Promise<string> {
  const adminUrl = inject('serverUrl');
  const migrated = inject('serverTemplate');
  if (adminUrl === undefined || migrated === undefined) throw new Error('this run has no PostgreSQL server');
  const name = `${migrated.replace(/_template$/, '')}_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(
    options.empty === true
      ? `CREATE DATABASE ${name}`
      : `CREATE DATABASE ${name} TEMPLATE ${options.template ?? migrated}`,
  );
  // The server may lose these databases when it crashes. Waiting for its disk took half of the tests' time.
  await admin.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/**
 * A database of the calling test's own, of the kind that this run is on: migrated, without rows (or without tables,
 * with `empty`). Close it; it is removed at the end of the run.
 */
export async function openTestDatabase(options: { empty?: boolean } = {}): Promise<Database> {
  if (onServer) return openServerDatabase(await createServerDatabase(options), { poolSize: 10 });
  return openEmbeddedDatabase('memory://', { loadDataDir: await readSnapshot(options.empty ? 'empty' : 'migrated') });
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
    const database = await openServerDatabase(url, { poolSize: 10 });
    const result = await fill(database);
    await database.close();
    const template = new URL(url).pathname.slice(1);
    return {
      result,
      openCopy: async () => openServerDatabase(await createServerDatabase({ template }), { poolSize: 10 }),
    };
  }
  const pglite = await PGlite.create('memory://', { loadDataDir: await readSnapshot('migrated') });
  const result = await fill(await wrapPglite(pglite));
  await pglite.exec('CHECKPOINT');
  const loadDataDir = await pglite.dumpDataDir('none');
  await pglite.close();
  return { result, openCopy: () => openEmbeddedDatabase('memory://', { loadDataDir }) };
}

const snapshots = new Map<string, Promise<Blob>>();

/** Each worker reads a file once. */
function readSnapshot(kind: 'empty' | 'migrated'): Promise<Blob> {
  const file = inject('embeddedSnapshots')?.[kind];
  if (file === undefined) throw new Error('this project has no database: move the test, see test/README.md');
  const known = snapshots.get(file) ?? readFile(file).then((bytes) => new Blob([bytes]));
  snapshots.set(file, known);
  return known;
}
