import { sealEnvelope } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { Secret } from '../../crypto/secret.ts';
import type { GatehousePrisma, PrismaStore } from '../database/prisma.ts';
import { listSealedColumns } from '../sealing/sealed-columns.ts';
import {
  type ColumnOfModel,
  type SealedRow,
  tryOpen,
  type UnopenedValue,
  walkSealedRows,
} from '../sealing/sealed-rows.ts';
import { countKeyUses, sumUses } from './key-usage.ts';

/** Rows whose values are read, sealed anew and written in one go: some milliseconds in which the gateway waits. */
const DEFAULT_BATCH_SIZE = 200;

/**
 * Values that others sealed with a former key behind the walk are found by another one. Two replicas that disagree
 * about which key is the first would undo each other's work without end: so many walks, then the count tells.
 */
const MAX_WALKS = 5;

/** How much of a rotation is done, and how it is told. */
export interface RotationOptions {
  /** Only counts. Default false. */
  dryRun?: boolean | undefined;
  /** Stops after about this many values, at the end of a batch. Default: none. */
  limit?: number | undefined;
  /** Rows in one go. Default 200. */
  batchSize?: number | undefined;
  /** After each batch: how many values are done, of how many that there were at the start. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a rotation did. */
export interface RotationReport {
  /** The key that seals now. */
  digest: string;
  /** Values that another key had sealed when the rotation began. */
  total: number;
  /** Values that were sealed anew. */
  resealed: number;
  /** Values that another key still seals: all in a dry run, else what the limit left over and what does not open. */
  remaining: number;
  /** What does not open, as far as the rotation came. These values stay as they are. */
  failures: UnopenedValue[];
}

/**
 * Seals every value anew that was not sealed with the active key, while others read and write. What is left to do is
 * what names another key: so it can be killed anywhere, repeated, and run from several places at once. A value that
 * somebody changes meanwhile is his, and a value that does not open is left alone and reported. Neither version nor
 * time of a row changes, because its content does not.
 */
export async function rotateValues(
  prisma: GatehousePrisma,
  keyring: Keyring,
  options: RotationOptions = {},
): Promise<RotationReport> {
  const { dryRun = false, limit = Number.POSITIVE_INFINITY, batchSize = DEFAULT_BATCH_SIZE, onProgress } = options;
  const total = await countOutdated(prisma, keyring);
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
    remaining: await countOutdated(prisma, keyring),
    failures,
  };
}

/** How many values another key than the active one seals. */
async function countOutdated(store: PrismaStore, keyring: Keyring): Promise<number> {
  const uses = await countKeyUses(store);
  const outdated = [...uses].filter(([digest]) => digest !== keyring.active.digest);
  return outdated.reduce((sum, [, each]) => sum + sumUses(each), 0);
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
    const opened = tryOpen(keyring, row);
    if (!(opened instanceof Secret)) {
      failures.push(opened);
      continue;
    }
    const after = sealEnvelope(key, opened.expose(), row.place);
    replacements.push({ id: row.place.rowId, before: row.stored.text, after });
  }
  const written = await replaceFree(prisma, place, key.digest, replacements);
  let resealed = written.size;
  // Held by a writer, or changed by one: waiting for one row while holding no other cannot become a deadlock.
  for (const replacement of replacements.filter(({ id }) => !written.has(id))) {
    resealed += await replaceOne(prisma, place, key.digest, replacement);
  }
  return { resealed, failures };
}

/**
 * Writes those values whose rows nobody holds, in one statement. Each is compared with what was read, so that a value
 * written meanwhile stays. Rows that are held are left out: a statement that waits for one row while it holds others
 * could make a writer fail with a deadlock.
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

/** Writes one value, after whoever holds its row. @returns 0 when it is not any more what was read */
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
