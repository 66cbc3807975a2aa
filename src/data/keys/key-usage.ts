import type { MasterKey } from '../../crypto/master-key.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { Prisma } from '../generated/client.ts';
import { listSealedColumns } from '../sealing/sealed-columns.ts';
import { isOldFormat } from '../sealing/sealed-rows.ts';
import type { KeyUse } from './key-use.ts';

/** Counts the values each key seals, across all declared columns. Keys that seal nothing are omitted. */
export async function countKeyUses(store: PrismaStore): Promise<Map<string, KeyUse[]>> {
  const selects = listSealedColumns().map(
    ({ model: { table }, column: { column, keyColumn } }) =>
      `SELECT '${table}' AS "table", '${column}' AS "column", "${keyColumn}" AS digest, count(*)::int AS count
       FROM "${table}" WHERE "${keyColumn}" IS NOT NULL GROUP BY "${keyColumn}"`,
  );
  const rows = await store.$queryRaw<(KeyUse & { digest: string })[]>(Prisma.raw(selects.join(' UNION ALL ')));
  const uses = new Map<string, KeyUse[]>();
  for (const { digest, ...use } of rows) uses.set(digest, [...(uses.get(digest) ?? []), use]);
  return uses;
}

/** Counts the values that other keys seal, or that have the old format. */
export async function countOutdated(store: PrismaStore, active: MasterKey): Promise<number> {
  const selects = listSealedColumns().map(
    ({ model: { table }, column: { column, keyColumn } }) =>
      `SELECT count(*) AS count FROM "${table}"
        WHERE "${keyColumn}" IS NOT NULL AND ("${keyColumn}" <> $1 OR ${isOldFormat(column)})`,
  );
  const [row] = await store.$queryRawUnsafe<{ count: number }[]>(
    `SELECT sum(count)::int AS count FROM (${selects.join(' UNION ALL ')}) AS counts`,
    active.digest,
  );
  return row?.count ?? 0;
}
