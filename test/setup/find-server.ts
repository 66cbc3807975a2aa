import { userInfo } from 'node:os';
import pg from 'pg';

/**
 * The PostgreSQL that the tests may make databases of their own on: `TEST_DATABASE_URL`, else a server on
 * 127.0.0.1:5432 that lets this user in without a password. Undefined, and one plain line, when there is none.
 */
export async function findTestServer(): Promise<string | undefined> {
  const configured = process.env['TEST_DATABASE_URL'];
  const url = configured ?? `postgres://${encodeURIComponent(userInfo().username)}@127.0.0.1:5432/postgres`;
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: configured === undefined ? 5_000 : 30_000,
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ allowed: boolean }>(
      'SELECT rolcreatedb OR rolsuper AS allowed FROM pg_roles WHERE rolname = current_user',
    );
    if (rows[0]?.allowed === true) return url;
    if (configured !== undefined) throw new Error('TEST_DATABASE_URL: this role may not create databases');
  } catch (error) {
    if (configured !== undefined) throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
  console.log('Skipped: the suite on a PostgreSQL server (set TEST_DATABASE_URL, or run one on 127.0.0.1:5432).');
  return undefined;
}
