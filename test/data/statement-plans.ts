import pg from 'pg';

/** A statement as the driver sent it. */
export interface SentStatement {
  text: string;
  values: readonly unknown[];
}

/** Records what the driver sends to PostgreSQL, until `stop`. */
export function recordStatements(): { sent: SentStatement[]; stop(): void } {
  const sent: SentStatement[] = [];
  const original = pg.Client.prototype.query;
  const watched = function query(this: pg.Client, ...args: unknown[]): unknown {
    const [first, second] = args as [string | { text?: string; values?: unknown[] }, unknown[] | undefined];
    const text = typeof first === 'string' ? first : (first.text ?? '');
    const values = typeof first === 'string' ? second : first.values;
    sent.push({ text, values: Array.isArray(values) ? [...values] : [] });
    return Reflect.apply(original, this, args);
  };
  pg.Client.prototype.query = watched as typeof original;
  return {
    sent,
    stop: () => {
      pg.Client.prototype.query = original;
    },
  };
}

/** A node of a plan, as `EXPLAIN (ANALYZE, FORMAT JSON)` shows it. */
interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Sort Key'?: string[];
  Plans?: PlanNode[];
}

/** Runs a statement in a transaction that is rolled back. @returns its plan; undefined for what has none */
export async function explain(client: pg.Client, { text, values }: SentStatement): Promise<PlanNode | undefined> {
  if (!/^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text)) return undefined;
  await client.query('BEGIN');
  try {
    // Without triggers: they would refuse what is undone anyway.
    await client.query('SET LOCAL session_replication_role = replica');
    const { rows } = await client.query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`, [...values]);
    const [row] = rows as { 'QUERY PLAN': [{ Plan: PlanNode }] }[];
    return row?.['QUERY PLAN'][0].Plan;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** What reads more rows of a large table than it should. @param isLarge whether a table has that many rows */
export function findCosts(plan: PlanNode, isLarge: (table: string) => boolean, most: number): string[] {
  const found: string[] = [];
  const visit = (node: PlanNode): void => {
    const table = node['Relation Name'];
    const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
    const rows = (node['Actual Rows'] + removed) * node['Actual Loops'];
    if (node['Node Type'] === 'Seq Scan' && table !== undefined && isLarge(table)) found.push(`reads all of ${table}`);
    else if (node['Node Type'].endsWith('Scan') && rows > most)
      found.push(`reads ${rows} rows of ${table ?? 'a scan'}`);
    for (const child of node.Plans ?? []) {
      const sorted = child['Actual Rows'] * child['Actual Loops'];
      if (node['Node Type'].endsWith('Sort') && sorted > most) found.push(`sorts ${sorted} rows`);
      visit(child);
    }
  };
  visit(plan);
  return found;
}
