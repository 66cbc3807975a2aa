import { sealEnvelope } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { GatehousePrisma } from '../database/prisma.ts';
import { listSealedColumns } from '../sealing/sealed-columns.ts';
import {
  type ColumnOfModel,
  type SealedRow,
  tryRead,
  type UnopenedValue,
  walkSealedRows,
} from '../sealing/sealed-rows.ts';
import { countOutdated } from './key-usage.ts';

/**
 * Rows that are read, resealed and written per batch. Resealing a batch blocks the event loop for a few milliseconds.
 */
const DEFAULT_BATCH_SIZE = 200;

/**
 * The maximum number of passes. A further pass finds values that were sealed with an old key behind the previous one.
 * Two replicas that disagree about the active key would undo each other's work forever, so passes are limited and the
 * final count shows what remains.
 */
const MAX_WALKS = 5;

/** Controls how much a rotation does, and how it reports progress. */
export interface RotationOptions {
  /** Only counts values. Default false. */
  dryRun?: boolean | undefined;
  /** Stops after about this many values, at the end of a batch. Default: no limit. */
  limit?: number | undefined;
  /** Rows per batch. Default 200. */
  batchSize?: number | undefined;
  /** Called after each batch with the number of values done and the total at the start. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The result of a rotation. */
export interface RotationReport {
  /** The digest of the active key. */
  digest: string;
  /** Values that other keys sealed when the rotation began, or that had the old format. */
  total: number;
  /** Values that were resealed. */
  resealed: number;
  /**
   * Values of which that is still true: all of them in a dry run, otherwise those left by the limit and those that do
   * not open.
   */
  remaining: number;
  /** Values that did not open, as far as the rotation got. They are left unchanged. */
  failures: UnopenedValue[];
}

/**
 * Reseals every value that is not sealed with the active key in the present format, while others read and write. The
 * remaining work is exactly the values that name another key or have the old format, so a rotation can be killed at any point, repeated, and run in several
 * places at once. A value that is changed meanwhile keeps the new content, and a value that does not open is left alone
 * and reported. Row versions and timestamps do not change, because the content does not.
 *
 * A value keeps the origins that it was sealed for. One of the old format has none, and gets those of its row.
 */
export async function rotateValues(
  prisma: GatehousePrisma,
  keyring: Keyring,
  options: RotationOptions = {},
): Promise<RotationReport> {
  const { dryRun = false, limit = Number.POSITIVE_INFINITY, batchSize = DEFAULT_BATCH_SIZE, onProgress } = options;
  const total = await countOutdated(prisma, keyring.active);
  let resealed = 0;
  let failures: UnopenedValue[] = [];
  for (let walk = 0; walk < MAX_WALKS && !dryRun && resealed < limit; walk += 1) {
    const before = resealed;
    failures = [];
    for (const place of listSealedColumns()) {
      if (resealed >= limit) break;
      const batches = walkSealedRows(prisma, place, { batchSize, exceptKey: () => keyring.active });
      for await (const rows of batches) {
        const batch = await resealBatch(prisma, keyring, place, rows);
        resealed += batch.resealed;
        failures.push(...batch.failures);
        onProgress?.(Math.min(resealed + failures.length, total), total);
        if (resealed >= limit) break;
      }
    }
    if (resealed === before) break;
  }
  return {
    digest: keyring.active.digest,
    total,
    resealed,
    remaining: await countOutdated(prisma, keyring.active),
    failures,
  };
}

interface Replacement {
  id: string;
  before: string;
  after: string;
}

async function resealBatch(prisma: GatehousePrisma, keyring: Keyring, place: ColumnOfModel, rows: SealedRow[]) {
  const key = keyring.active;
  const failures: UnopenedValue[] = [];
  const replacements: Replacement[] = [];
  for (const row of rows) {
    const content = tryRead(keyring, row);
    if ('reason' in content) {
      failures.push(content);
      continue;
    }
    const after = sealEnvelope(key, content, row.place);
    replacements.push({ id: row.place.rowId, before: row.stored.text, after });
  }
  const written = await replaceFree(prisma, place, key.digest, replacements);
  let resealed = written.size;
  // These rows are locked or were changed by another writer. Waiting for one row while holding no other cannot
  // deadlock.
  for (const replacement of replacements.filter(({ id }) => !written.has(id))) {
    resealed += await replaceOne(prisma, place, key.digest, replacement);
  }
  return { resealed, failures };
}

/**
 * Writes the values whose rows are not locked, in one statement. Each stored value is compared with what was read, so a
 * concurrent change is kept. Locked rows are skipped: a statement that waits for one row while holding others could
 * cause a deadlock.
 *
 * @returns the ids of the rows that were written
 */
async function replaceFree(
  prisma: GatehousePrisma,
  { model: { table, id }, column: { column, keyColumn } }: ColumnOfModel,
  digest: string,
  replacements: readonly Replacement[],
): Promise<Set<string>> {
  if (replacements.length === 0) return new Set();
  const rows = await prisma.$queryRawUnsafe<{ id: string }[]>(
    `WITH free AS MATERIALIZED (
       SELECT "${id.column}" AS id FROM "${table}" WHERE "${id.column}" = ANY ($2::${id.type}[])
       ORDER BY "${id.column}" FOR NO KEY UPDATE SKIP LOCKED
     )
     UPDATE "${table}" AS target SET "${column}" = new.after, "${keyColumn}" = $1
       FROM free, unnest($2::${id.type}[], $3::text[], $4::text[]) AS new (id, before, after)
      WHERE target."${id.column}" = free.id AND new.id = free.id AND target."${column}" = new.before
     RETURNING target."${id.column}"::text AS id`,
    digest,
    replacements.map((each) => each.id),
    replacements.map((each) => each.before),
    replacements.map((each) => each.after),
  );
  return new Set(rows.map((row) => row.id));
}

/** Writes one value, waiting for the row lock. @returns 0 when the stored value has changed since it was read */
function replaceOne(
  prisma: GatehousePrisma,
  { model: { table, id }, column: { column, keyColumn } }: ColumnOfModel,
  digest: string,
  replacement: Replacement,
): Promise<number> {
  return prisma.$executeRawUnsafe(
    `UPDATE "${table}" SET "${column}" = $1, "${keyColumn}" = $2
      WHERE "${id.column}" = $3::${id.type} AND "${column}" = $4`,
    replacement.after,
    digest,
    replacement.id,
    replacement.before,
  );
}
