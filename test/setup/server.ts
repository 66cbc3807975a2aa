import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { applyMigrations } from '../../src/data/migrations/migrations.ts';

/** The server has hundred connections, and nothing else runs when databases are dropped. */
const DROPS_AT_ONCE = 32;

declare module 'vitest' {
  interface ProvidedContext {
    serverUrl?: string;
    /** Name of the migrated, empty database that each test file copies. */
    serverTemplate?: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const adminUrl = project.config.provide.serverUrl;
  if (adminUrl === undefined) throw new Error('the project was started without a server');
  const prefix = `gatehouse_test_${randomBytes(6).toString('hex')}`;
  const template = `${prefix}_template`;
  const admin = new pg.Pool({ connectionString: adminUrl, max: DROPS_AT_ONCE });
  await admin.query(`CREATE DATABASE ${template}`);
  const url = new URL(adminUrl);
  url.pathname = `/${template}`;
  const database = await openServerDatabase(url.href, { poolSize: 2 });
  await applyMigrations(database);
  await database.close();
  project.provide('serverTemplate', template);

  return async () => {
    const { rows } = await admin.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [prefix],
    );
    // Each drop waits for a checkpoint. Those that run at the same time wait for the same one.
    await Promise.all(rows.map(({ datname }) => admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`)));
    await admin.end();
  };
}
