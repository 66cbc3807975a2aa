import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { inject } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openEmbeddedDatabase } from '../../src/data/database/embedded-database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';

/** Whether this run is on a PostgreSQL server: row locks and LISTEN across connections exist only there. */
export const onServer = inject('serverUrl') !== undefined;

/**
 * Whether this run is the only one of its file, or the one on the server. In a file for both databases, what does not
 * depend on the database runs only here.
 */
export const onMainDatabase = onServer || inject('alsoOnServer') !== true;

/**
 * Creates a database on the test server, copied from the migrated template, and returns its URL. Only with `onServer`.
 */
export async function createServerDatabase(options: { empty?: boolean } = {}): Promise<string> {
  const adminUrl = inject('serverUrl');
  const template = inject('serverTemplate');
  if (adminUrl === undefined || template === undefined) throw new Error('this run has no PostgreSQL server');
  const name = `${template.replace(/_template$/, '')}_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(
    options.empty === true ? `CREATE DATABASE ${name}` : `CREATE DATABASE ${name} TEMPLATE ${template}`,
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
  const files = inject('embeddedSnapshots');
  if (files === undefined) throw new Error('this project has no database: move the test, see test/README.md');
  return openEmbeddedDatabase('memory://', {
    loadDataDir: await readSnapshot(files[options.empty ? 'empty' : 'migrated']),
  });
}

const snapshots = new Map<string, Promise<Blob>>();

/** Each worker reads a file once. */
function readSnapshot(file: string): Promise<Blob> {
  const known = snapshots.get(file) ?? readFile(file).then((bytes) => new Blob([bytes]));
  snapshots.set(file, known);
  return known;
}
