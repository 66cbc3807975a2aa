import { randomInt, randomUUID } from 'node:crypto';

/** One statement of a transaction. */
export interface Statement {
  sql: string;
  /** Whether its savepoint is rolled back. */
  isUndone: boolean;
}

/** The next transaction of a writer. */
export interface Plan {
  statements: Statement[];
  /** A config that only this transaction changes, permanently if it is committed: it shows whether it was. */
  witness: { id: string; description: string; isRemoved: boolean };
  isCommitted: boolean;
  /** Whether the statements are sent one by one with pauses, and not in one piece. */
  isSlow: boolean;
}

const MAX_OWN = 6;
const RETURNING = 'RETURNING id, version, enabled, description';

/**
 * Generates a transaction: changes, creations and deletions of configs, some in savepoints that are rolled back.
 *
 * @param own configs that only this writer writes
 * @param shared configs that all writers write, in the same order
 */
export function planTransaction(own: readonly string[], shared: readonly string[]): Plan {
  const description = randomUUID();
  const update = (id: string) =>
    `UPDATE mcp_server_configs SET version = version + 1, enabled = ${chance(50)}, description = '${description}'
     WHERE id = '${id}' ${RETURNING}`;
  const remove = (id: string) => `DELETE FROM mcp_server_configs WHERE id = '${id}' ${RETURNING}`;
  const statements: Statement[] = [];
  const add = (sql: string, isUndone = false) => statements.push({ sql, isUndone });

  // First, and in order: prevents deadlocks.
  if (chance(15)) {
    const from = randomInt(shared.length);
    for (const id of shared.slice(from, from + randomInt(1, 4))) add(update(id));
  }
  if (chance(15)) {
    // A rolled-back savepoint on a config that the transaction may change again afterwards.
    const id = pick(own);
    add('SAVEPOINT undone');
    if (id !== undefined) add(chance(20) ? remove(id) : update(id), true);
    else add(insert(randomUUID(), description), true);
    add('ROLLBACK TO SAVEPOINT undone');
  }
  for (const id of own) if (chance(10)) add(update(id));
  const witness = pick(own) ?? '';
  const kind = own.length === 0 || (own.length < MAX_OWN && chance(10)) ? 'create' : chance(6) ? 'remove' : 'update';
  const isInSavepoint = chance(10);
  if (isInSavepoint) add('SAVEPOINT kept');
  const id = kind === 'create' ? randomUUID() : witness;
  if (kind === 'create') add(insert(id, description));
  else add(kind === 'remove' ? remove(id) : update(id));
  if (isInSavepoint) add('RELEASE SAVEPOINT kept');
  return {
    statements,
    witness: { id, description, isRemoved: kind === 'remove' },
    isCommitted: !chance(20),
    isSlow: chance(10),
  };
}

/** The statement that inserts a config. */
export function insert(id: string, description: string): string {
  return `INSERT INTO mcp_server_configs (id, display_name, slug, url, description)
    VALUES ('${id}', 'Config ${id}', 'c-${id}', 'https://a.example.com/', '${description}') ${RETURNING}`;
}

function chance(percent: number): boolean {
  return randomInt(100) < percent;
}

function pick(ids: readonly string[]): string | undefined {
  return ids.length === 0 ? undefined : ids[randomInt(ids.length)];
}
