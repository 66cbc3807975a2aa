import type { SealedPlace } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { MasterKey } from '../../crypto/master-key.ts';
import { OpenError, type OpenFailure } from '../../crypto/open-error.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { SealedColumn, SealedModel } from './sealed-columns.ts';
import { openValue, type StoredValue } from './sealed-value.ts';

/** An encrypted column and its table: an entry of `listSealedColumns()`. */
export interface ColumnOfModel {
  model: SealedModel;
  column: SealedColumn;
}

/** A stored sealed value and the place it is bound to. */
export interface SealedRow {
  place: SealedPlace;
  stored: StoredValue;
}

/** A stored value that does not open: where it is and why, never its content. */
export interface UnopenedValue {
  table: string;
  column: string;
  /** The row's primary key. */
  id: string;
  reason: OpenFailure;
}

/**
 * Walks the values of a column in batches, ordered by row id. Concurrent writes may or may not be seen.
 *
 * @param options.exceptKey skips values sealed with this key; called before each batch
 */
export async function* walkSealedRows(
  store: PrismaStore,
  place: ColumnOfModel,
  options: { batchSize: number; exceptKey?: (() => MasterKey) | undefined },
): AsyncGenerator<SealedRow[]> {
  let after: string | undefined;
  for (;;) {
    const rows = await readBatch(store, place, { after, limit: options.batchSize, except: options.exceptKey?.() });
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)?.place.rowId;
  }
}

async function readBatch(
  store: PrismaStore,
  { model: { table, id, owner }, column: { column, keyColumn } }: ColumnOfModel,
  options: { after: string | undefined; limit: number; except: MasterKey | undefined },
): Promise<SealedRow[]> {
  const parameters: unknown[] = [options.limit];
  const parameter = (value: unknown) => `$${parameters.push(value)}`;
  const conditions = [`"${keyColumn}" IS NOT NULL`];
  if (options.except !== undefined) conditions.push(`"${keyColumn}" <> ${parameter(options.except.digest)}`);
  if (options.after !== undefined) conditions.push(`"${id.column}" > ${parameter(options.after)}::${id.type}`);
  const rows = await store.$queryRawUnsafe<{ id: string; owner: string | null; text: string; digest: string }[]>(
    `SELECT "${id.column}"::text AS id, ${owner === undefined ? 'NULL' : `"${owner.column}"::text`} AS owner,
            "${column}" AS text, "${keyColumn}" AS digest
       FROM "${table}" WHERE ${conditions.join(' AND ')} ORDER BY "${id.column}" LIMIT $1::int`,
    ...parameters,
  );
  return rows.map((row) => ({
    place: { table, column, rowId: row.id, ownerId: row.owner ?? undefined },
    stored: { text: row.text, keyDigest: row.digest },
  }));
}

/** Opens a value, or reports where it is and why it does not open. */
export function tryOpen(keyring: Keyring, { place, stored }: SealedRow): Secret | UnopenedValue {
  try {
    return openValue(keyring, stored, place);
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    return { table: place.table, column: place.column, id: place.rowId, reason: error.reason };
  }
}
