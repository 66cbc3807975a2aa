import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createStore, type Repositories, type Store } from '../../src/data/store.ts';
import { type Action, can } from '../../src/policy/policy.ts';
import { SYSTEM, type Viewer } from '../../src/policy/viewer.ts';
import { onServer } from '../setup/database.ts';
import { openSealedDatabase, type SealedDatabase } from './encryption-setup.ts';
import { fillTables } from './large-rows.ts';
import { CALLS, MOST_ROWS, OWNER_ID } from './repository-calls.ts';
import { explain, findCosts, recordStatements } from './statement-plans.ts';

const SEARCH = {
  reads: /position\(lower\(/,
  because:
    'Admins and auditors look for a part of a text, which no index of plain PostgreSQL has (pg_trgm may be missing).',
};
const TOTAL = {
  reads: /WHERE 1=1 OFFSET|count\(\*\)[^$]*$/,
  because: 'The total of all rows is counted, and only for admins and auditors who select `totalCount`.',
};

/** Statements that read more, by function. */
const EXCEPTIONS: Readonly<Record<string, { reads: RegExp; because: string }>> = {
  'users.list': SEARCH,
  'apiTokens.list': SEARCH,
  'users.count': TOTAL,
  'apiTokens.count': TOTAL,
  'audit.count': TOTAL,
  'chats.countAll': {
    reads: /COUNT/,
    because: 'Only before an admin changes a server that is forced on: it is in all chats.',
  },
  'connections.countAll': {
    reads: /COUNT/,
    because: 'The total of all connections is counted, and only for admins and auditors who open the overview.',
  },
  'audit.list': {
    reads: /"occurred_at" </,
    because: 'Entries are listed by number, so a window of time long ago is looked for from the newest entry on.',
  },
};

const VIEWERS: readonly Viewer[] = [
  ...(['admin', 'member', 'service'] as const).map(
    (role): Viewer => ({ kind: 'user', userId: OWNER_ID, role, credential: { kind: 'bootstrap' } }),
  ),
  SYSTEM,
];

type AnyFunction = { (viewer: Viewer, args: unknown): Promise<unknown>; action: Action };
const functions = Object.entries(CALLS).flatMap(([group, calls]) =>
  Object.entries(calls).map(([name, args]) => ({ name: `${group}.${name}`, group, function: name, args })),
);

/** Ends a transaction without a trace. */
const UNDO = new Error('undo');

describe.runIf(onServer)('on a database with 30,000 rows in each table that grows', () => {
  let sealed: SealedDatabase;
  let store: Store;
  let client: pg.Client;
  let large: ReadonlySet<string>;
  beforeAll(async () => {
    sealed = await openSealedDatabase();
    store = createStore(sealed.prisma);
    await fillTables(sealed.database, sealed.keyring.active.digest);
    const [own] = await sealed.database.query('SELECT current_database() AS name');
    const url = new URL(inject('serverUrl') ?? '');
    url.pathname = `/${own?.['name']}`;
    client = new pg.Client({ connectionString: url.href, options: '-c TimeZone=UTC' });
    await client.connect();
    const tables = await sealed.database.query(
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > $1`,
      [MOST_ROWS],
    );
    large = new Set(tables.map(({ relname }) => String(relname)));
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await sealed?.close();
  });

  test.each(functions)('$name reads only what it needs', async ({ name, group, function: key, args }) => {
    const { sent, stop } = recordStatements();
    try {
      for (const each of args) {
        for (const viewer of VIEWERS) {
          const done = store.transaction(async (tx) => {
            const run = (tx[group as keyof Repositories] as Record<string, unknown>)[key] as AnyFunction;
            if (can(viewer, run.action)) await run(viewer, each);
            throw UNDO;
          });
          const outcome = await done.catch((error: unknown) => error);
          // What is not the viewer's own is refused before a statement is sent, or after it.
          if (outcome !== UNDO) expect(outcome).toMatchObject({ code: 'FORBIDDEN' });
        }
      }
    } finally {
      stop();
    }
    const seen = new Set<string>();
    const found: string[] = [];
    let explained = 0;
    for (const statement of sent) {
      const id = `${statement.text} ${inspect(statement.values)}`;
      if (seen.has(id)) continue;
      seen.add(id);
      const plan = await explain(client, statement);
      if (plan === undefined) continue;
      explained += 1;
      const costs = findCosts(plan, (table) => large.has(table), MOST_ROWS);
      if (costs.length > 0) found.push(`${costs.join(', ')}: ${id}`);
    }
    expect(explained).toBeGreaterThan(0);
    expect(found.filter((each) => EXCEPTIONS[name]?.reads.test(each) !== true)).toEqual([]);
  });

  test('each reference of a table that grows has an index, so that deleting what it refers to reads no more', async () => {
    const missing = await sealed.database.query(
      `SELECT conname FROM pg_constraint AS fk JOIN pg_class ON pg_class.oid = fk.conrelid
       WHERE fk.contype = 'f' AND relname = ANY ($1::text[]) AND NOT EXISTS (
         SELECT 1 FROM pg_index WHERE indrelid = fk.conrelid AND indpred IS NULL
           AND (indkey::int2[])[0:cardinality(fk.conkey) - 1] @> fk.conkey)`,
      [[...large]],
    );
    expect(missing).toEqual([]);
  });
});
