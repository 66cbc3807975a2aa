import type { Database } from '../../src/data/database/database.ts';

/** Tables that a refusal may change: it is recorded and counted, and changes nothing else. */
const NOT_COMPARED = ['rate_counts', 'audit_entries', 'audit_chain'];

/** Every row of every table as the database prints it, by table. Equal before and after means that nothing changed. */
export async function readAllRows(database: Database): Promise<Record<string, string[]>> {
  const tables = await database.query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
  );
  const rows: Record<string, string[]> = {};
  for (const { name } of tables) {
    if (NOT_COMPARED.includes(String(name))) continue;
    const found = await database.query(`SELECT t::text AS row FROM "${name}" t ORDER BY 1`);
    rows[String(name)] = found.map(({ row }) => String(row));
  }
  return rows;
}
