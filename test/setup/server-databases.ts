import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** A database with more than this is not used again: to remove its rows takes longer than to create another one. */
const MAX_BYTES = 24 * 1_024 * 1_024;

/** As a replica does it: no trigger fires, and no foreign key is checked. Nobody else has a lock. */
const SETTINGS_TO_RESTORE = ["SET LOCAL lock_timeout = '5s'", 'SET LOCAL session_replication_role = replica'];

/** How long a connection may take to end. */
const END_TIMEOUT_MS = 5_000;

/** What a database of a template looks like when it is new. */
interface Original {
  /** Changes with every table, column, constraint, trigger and function. */
  schema: string;
  /** The statements that give all tables the rows of the template. */
  restore: string;
}

const originals = new Map<string, Original>();
/** The URLs of databases that are as new, by template. */
const spares = new Map<string, string[]>();

/** A database on the test server, for one user at a time. */
export interface LentDatabase {
  url: string;
  /** Its next user finds it as new. Call it when all connections are closed. */
  giveBack(): Promise<void>;
}

/**
 * Lends a copy of a template: one that was given back, or a new one. To create a database, and to drop it at the end,
 * takes five times as long as to restore its rows.
 *
 * @param template the migrated one, or one of this worker
 */
export async function lendServerDatabase(template: string): Promise<LentDatabase> {
  const url = spares.get(template)?.pop() ?? (await createServerDatabase({ template }));
  const original = originals.get(template) ?? (await describeOriginal(url));
  originals.set(template, original);
  return {
    url,
    async giveBack() {
      if (await restore(url, original)) spares.set(template, [...(spares.get(template) ?? []), url]);
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

/** The newest row of each catalogue, and their number. Statistics make no new row. */
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
      restore: ['BEGIN', ...SETTINGS_TO_RESTORE, ...statements, 'COMMIT'].join(';\n'),
    };
  });
}

async function readSchema(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ schema: string }>(`SELECT concat(${SCHEMA}, ', ', ${SETTINGS}) AS schema`);
  return rows[0]?.schema ?? '';
}

/** Of PostgreSQL: insufficient_privilege. */
const NOT_ALLOWED = '42501';

/** Makes a database as new. @returns whether it is: not if that is not worth the effort, or cannot be done */
async function restore(url: string, { schema, restore: statements }: Original): Promise<boolean> {
  try {
    return await withClient(url, async (client) => {
      // Its user has closed everything. What is still connected may still write.
      const { rows: ended } = await client.query<{ ended: boolean }>(
        `SELECT pg_terminate_backend(pid, ${END_TIMEOUT_MS}) AS ended FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
      );
      if (ended.some((each) => !each.ended)) return false;
      if ((await readSchema(client)) !== schema) return false;
      const { rows } = await client.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
      if (Number(rows[0]?.bytes) > MAX_BYTES) return false;
      await client.query(statements);
      return true;
    });
  } catch (error) {
    // A user of the server who may not do this gets a new database each time.
    if ((error as { code?: string }).code !== NOT_ALLOWED) console.warn(`A test database is not used again: ${error}`);
    return false;
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
