import type { BoundText } from '../../crypto/bound-text.ts';
import type { SealedPlace } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { MasterKey } from '../../crypto/master-key.ts';
import { OpenError, type OpenFailure } from '../../crypto/open-error.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { toOrigins } from './seal-for.ts';
import type { SealedColumn, SealedModel } from './sealed-columns.ts';
import { openValue, readValue, type StoredValue } from './sealed-value.ts';

/** An encrypted column and its table: an entry of `listSealedColumns()`. */
export interface ColumnOfModel {
  model: SealedModel;
  column: SealedColumn;
}

/** A stored sealed value and the place it is bound to. */
export interface SealedRow {
  place: SealedPlace;
  stored: StoredValue;
  /** The URLs that it may be sent to, as far as the database says. Empty ones count as absent. */
  urls: readonly string[];
}

/** A stored value that does not open: where it is and why, never its content. */
export interface UnopenedValue {
  table: string;
  column: string;
  /** The row's primary key. */
  id: string;
  reason: OpenFailure;
}

/** Whether a value has the old format, in which values have no origins. For SQL. */
export const isOldFormat = (column: string): string => `left("${column}", 3) = 'v1:'`;

/**
 * Walks the values of a column in batches, ordered by row id. Concurrent writes may or may not be seen.
 *
 * @param options.exceptKey skips values sealed with this key in the present format; called before each batch
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
  { model: { table, id, owner }, column: { column, keyColumn, destinations } }: ColumnOfModel,
  options: { after: string | undefined; limit: number; except: MasterKey | undefined },
): Promise<SealedRow[]> {
  const parameters: unknown[] = [options.limit];
  const parameter = (value: unknown) => `$${parameters.push(value)}`;
  const conditions = [`"${keyColumn}" IS NOT NULL`];
  if (options.except !== undefined) {
    conditions.push(`("${keyColumn}" <> ${parameter(options.except.digest)} OR ${isOldFormat(column)})`);
  }
  if (options.after !== undefined) conditions.push(`"${id.column}" > ${parameter(options.after)}::${id.type}`);
  const source = destinations.in === 'row' ? 'found' : 'config';
  const urls = destinations.urls.map((url) => `${source}."${url.column}"`).join(', ');
  const join =
    destinations.in === 'row' ? '' : 'JOIN mcp_server_configs AS config ON config.id = found.mcp_server_config_id';
  // Read the URLs in the same statement: a value is never seen beside URLs that came later.
  const rows = await store.$queryRawUnsafe<
    { id: string; owner: string | null; text: string; digest: string; urls: string[] }[]
  >(
    `WITH found AS (SELECT * FROM "${table}" WHERE ${conditions.join(' AND ')} ORDER BY "${id.column}" LIMIT $1::int)
     SELECT found."${id.column}"::text AS id, ${owner === undefined ? 'NULL' : `found."${owner.column}"::text`} AS owner,
            found."${column}" AS text, found."${keyColumn}" AS digest, ARRAY[${urls}]::text[] AS urls
       FROM found ${join} ORDER BY found."${id.column}"`,
    ...parameters,
  );
  return rows.map((row) => ({
    place: { table, column, rowId: row.id, ownerId: row.owner ?? undefined },
    stored: { text: row.text, keyDigest: row.digest },
    urls: row.urls,
  }));
}

/** Opens a value for the URLs beside it, or reports where it is and why it does not open. */
export function tryOpen(keyring: Keyring, { place, stored, urls }: SealedRow): Secret | UnopenedValue {
  return orUnopened(place, () => openValue(keyring, stored, place, urls));
}

/**
 * Opens a value to seal it again, for the origins that it was sealed for, whatever the database says now. An old value
 * without origins gets those of the URLs beside it.
 */
export function tryRead(keyring: Keyring, { place, stored, urls }: SealedRow): BoundText | UnopenedValue {
  return orUnopened(place, () => {
    const { text, origins } = readValue(keyring, stored, place);
    return { text, origins: origins ?? toOrigins(urls) };
  });
}

function orUnopened<Result>(place: SealedPlace, open: () => Result): Result | UnopenedValue {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    return { table: place.table, column: place.column, id: place.rowId, reason: error.reason };
  }
}
