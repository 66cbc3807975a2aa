import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** A database with more than this is not used again: to remove its rows takes longer than to create another one. */
const MAX_BYTES = 24 * 1_024 * 1_024;

/** How long a connection may take to end. */
const END_TIMEOUT_MS = 5_000;

/** What a database of a template looks like when it is new. */
interface Original {
  /** Changes with every table, column, constraint, trigger and function. */
  schema: string;
  /** The statements that give all tables the rows of the template. */
  restore: string;
}

const originals = new Map<string, Promise<Original>>();
/** Databases that nobody uses any more, by template: their URLs once they are as new, or undefined if they cannot be. */
const spares = new Map<string, Promise<string | undefined>[]>();

/** A database on the test server, for one user at a time. */
export interface LentDatabase {
  url: string;
  /** Its next user finds it as new. Call it when no more connections are needed. */
  giveBack(): void;
}

/**
 * Lends a copy of a template: one that was given back, or a new one. To create a database, and to drop it at the end,
 * takes five times as long as to restore its rows.
 *
 * @param template the migrated one, or one of this worker
 */
export async function lendServerDatabase(template: string): Promise<LentDatabase> {
  const url = (await takeSpare(template)) ?? (await createServerDatabase({ template }));
  const original = originals.get(template) ?? describeOriginal(url);
  originals.set(template, original);
  await original;
  return {
    url,
    giveBack() {
      spares.set(template, [...(spares.get(template) ?? []), restore(url, original)]);
    },
  };
}

/** The name of the migrated template. Only with a server. */
export function migratedTemplate(): string {
  const template = inject('serverTemplate');
  if (template === undefined) throw new Error('this run has no PostgreSQL server');
  return template;
}

/**
 * Creates a database on the test server, copied from the migrated template or another one, and returns its URL. Only
 * with a server.
 */
export async function createServerDatabase(options: { empty?: boolean; template?: string } = {}): Promise<string> {
  const adminUrl = inject('serverUrl');
  if (adminUrl === undefined) throw new Error('this run has no PostgreSQL server');
  const migrated = migratedTemplate();
  const name = `${migrated.replace(/_template$/, '')}_${randomBytes(6).toString('hex')}`;
  await withClient(adminUrl, async (admin) => {
    await admin.query(
      options.empty === true
        ? `CREATE DATABASE ${name}`
        : `CREATE DATABASE ${name} TEMPLATE ${options.template ?? migrated}`,
    );
    // The server may lose these databases when it crashes. Waiting for its disk took half of the tests' time.
    await admin.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  });
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function takeSpare(template: string): Promise<string | undefined> {
  for (;;) {
    const spare = spares.get(template)?.shift();
    if (spare === undefined) return undefined;
    const url = await spare;
    if (url !== undefined) return url;
  }
}

/** The newest row of each catalogue, and their number. Statistics and the place of a table's file make no new row. */
const SCHEMA = ['pg_class', 'pg_attribute', 'pg_constraint', 'pg_trigger', 'pg_proc', 'pg_type']
  .map((catalogue) => `(SELECT concat(count(*), ' ', max(xmin::text::bigint)) FROM ${catalogue})`)
  .join(", ', ', ");
/** The settings that begin with each connection. */
const SETTINGS = `(SELECT string_agg(s.setconfig::text, ' ') FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
  WHERE d.datname = current_database())`;

function describeOriginal(url: string): Promise<Original> {
  return withClient(url, async (client) => {
    const tables = await client.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    const statements: string[] = [];
    for (const { name } of tables.rows) {
      statements.push(`DELETE FROM ${name}`);
      const { rows } = await client.query<{ all: string | null }>(`SELECT json_agg(t)::text AS all FROM ${name} t`);
      const all = rows[0]?.all ?? undefined;
      if (all === undefined) continue;
      const literal = pg.escapeLiteral(all);
      statements.push(`INSERT INTO ${name} SELECT * FROM json_populate_recordset(NULL::${name}, ${literal})`);
    }
    return {
      schema: await readSchema(client),
      // As a replica does: no trigger fires, and no foreign key is checked.
      restore: ['BEGIN', 'SET LOCAL session_replication_role = replica', ...statements, 'COMMIT'].join(';\n'),
    };
  });
}

async function readSchema(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ schema: string }>(`SELECT concat(${SCHEMA}, ', ', ${SETTINGS}) AS schema`);
  return rows[0]?.schema ?? '';
}

/** Makes a database as new. Resolves to its URL, or to undefined if it is not worth the effort or cannot be done. */
async function restore(url: string, original: Promise<Original>): Promise<string | undefined> {
  try {
    const { schema, restore: statements } = await original;
    return await withClient(url, async (client) => {
      await client.query(
        `SELECT pg_terminate_backend(pid, ${END_TIMEOUT_MS}) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      if ((await readSchema(client)) !== schema) return undefined;
      const { rows } = await client.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
      if (Number(rows[0]?.bytes) > MAX_BYTES) return undefined;
      await client.query(statements);
      return url;
    });
  } catch {
    // A user of the server who may not do this gets a new database each time.
    return undefined;
  }
}

async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  // It is told by the statement that fails.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
