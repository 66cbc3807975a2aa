import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import pg from 'pg';

/** A database for the benchmark, and a folder for its other files. */
export interface BenchDatabase {
  /** `postgres://…`; absent without a server: then the embedded database is used. */
  url: string | undefined;
  folder: string;
  /** Name of the database, for the table. */
  label: string;
  remove(): Promise<void>;
}

/**
 * Creates a database on `TEST_DATABASE_URL`, or on a server at 127.0.0.1:5432 that accepts this user. Otherwise creates
 * a folder for the embedded database.
 *
 * @throws if TEST_DATABASE_URL is set and does not work
 */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const configured = process.env['TEST_DATABASE_URL'];
  const adminUrl = configured ?? `postgres://${encodeURIComponent(userInfo().username)}@127.0.0.1:5432/postgres`;
  const { folder, remove: removeFolder } = await openEmbeddedFolder();
  const name = `gatehouse_bench_${randomBytes(6).toString('hex')}`;
  try {
    const version = await onServer(adminUrl, async (client) => {
      await client.query(`CREATE DATABASE ${name}`);
      return (await client.query<{ server_version: string }>('SHOW server_version')).rows[0]?.server_version;
    });
    const url = new URL(adminUrl);
    url.pathname = `/${name}`;
    return {
      url: url.href,
      folder,
      label: `PostgreSQL ${version?.split(' ')[0]}`,
      async remove() {
        await onServer(adminUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
        await removeFolder();
      },
    };
  } catch (error) {
    if (configured === undefined) return { url: undefined, folder, label: 'embedded database', remove: removeFolder };
    await removeFolder();
    throw new Error(`TEST_DATABASE_URL: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A folder for an embedded database, whether or not there is a server. */
export async function openEmbeddedFolder(): Promise<Pick<BenchDatabase, 'folder' | 'remove'>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-bench-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function onServer<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
