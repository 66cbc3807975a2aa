import { randomUUID } from 'node:crypto';
import type { BoundText } from '../../crypto/bound-text.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { isSealedFor } from './seal-for.ts';
import type { SealedColumn, SealedModel } from './sealed-columns.ts';
import { sealValue } from './sealed-value.ts';

/** The arguments of a Prisma operation, or part of them. */
export type WriteData = Readonly<Record<string, unknown>>;

/**
 * A placeholder for a required key column in a `create`, which Prisma's types demand. The extension writes the digest
 * of the active key and rejects any other value in a key column.
 */
export const SEALING_KEY = 'sealing-key';

/** A write that cannot be sealed. Always a programming error, never caused by a caller's input. */
export class SealingError extends Error {
  override readonly name = 'SealingError';
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Seals the values of a row to be inserted. Generates the id if it is missing, because values are bound to it.
 *
 * @param inheritedOwnerId the owner, if the row is written through the owner's relation
 * @throws SealingError when the id or owner is unknown, or a key column is set by hand
 */
export function sealNewRow(
  model: SealedModel,
  data: WriteData,
  keyring: Keyring,
  inheritedOwnerId: string | undefined,
): WriteData {
  const values = readSealedValues(model, data);
  if (!hasSecret(values)) return { ...data, ...clear(values) };
  refuseParentRelations(model, data);
  const { field, type } = model.id;
  const id = data[field] ?? (type === 'uuid' ? randomUUID() : undefined);
  const rowId = toRowId(model, id, `give the new row its ${field}`);
  const ownerId = toOwnerId(model, data[model.owner?.field ?? ''] ?? inheritedOwnerId);
  return { ...data, [field]: rowId, ...sealAll(model, values, keyring, rowId, ownerId) };
}

/**
 * Seals the values of an update.
 *
 * @param pinned the id and owner that the update's filter selects
 * @throws SealingError when the filter may match other rows, or the update would change the id or owner that the values
 *   are bound to
 */
export function sealRowChange(
  model: SealedModel,
  data: WriteData,
  keyring: Keyring,
  pinned: { id: unknown; ownerId: unknown },
): WriteData {
  refuseMove(model, data);
  const values = readSealedValues(model, data);
  if (!hasSecret(values)) return { ...data, ...clear(values) };
  refuseParentRelations(model, data);
  const rowId = toRowId(model, pinned.id, `name the row by ${model.id.field}`);
  const ownerId = toOwnerId(model, pinned.ownerId);
  return { ...data, ...sealAll(model, values, keyring, rowId, ownerId) };
}

type SealedValues = ReadonlyMap<SealedColumn, BoundText | null>;

/** The values given for encrypted columns. Absent ones are omitted. */
function readSealedValues(model: SealedModel, data: WriteData): SealedValues {
  const values = new Map<SealedColumn, BoundText | null>();
  for (const column of model.columns) {
    const value = unwrapSet(data[column.field]);
    const keyDigest = data[column.keyField];
    if (keyDigest !== undefined && !(keyDigest === SEALING_KEY && isSealedFor(value))) {
      throw refusal(model, `${column.keyField} is set by sealing ${column.field}, not by hand`);
    }
    if (value === undefined) continue;
    if (!isSealedFor(value) && !(value === null && column.nullable)) {
      throw refusal(model, `${column.field} takes what sealFor returns${column.nullable ? ', or null' : ''}`);
    }
    values.set(column, isSealedFor(value) ? value : null);
  }
  return values;
}

/** An update may use `{ set: value }` instead of `value`. */
function unwrapSet(value: unknown): unknown {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'set' && 'set' in value
    ? value.set
    : value;
}

function hasSecret(values: SealedValues): boolean {
  return [...values.values()].some((value) => value !== null);
}

function clear(values: SealedValues): WriteData {
  return Object.fromEntries(
    [...values.keys()].flatMap(({ field, keyField }) => [
      [field, null],
      [keyField, null],
    ]),
  );
}

function sealAll(
  model: SealedModel,
  values: SealedValues,
  keyring: Keyring,
  rowId: string,
  ownerId: string | undefined,
): WriteData {
  const sealed: Record<string, string | null> = {};
  for (const [{ field, keyField, column }, value] of values) {
    const stored = value === null ? null : sealValue(keyring, value, { table: model.table, column, rowId, ownerId });
    sealed[field] = stored?.text ?? null;
    sealed[keyField] = stored?.keyDigest ?? null;
  }
  return sealed;
}

/**
 * Values are authenticated together with their id and owner. If an update changed either, none of the row's values
 * would open.
 */
function refuseMove({ model, id, owner, ...rest }: SealedModel, data: WriteData): void {
  const bound = [id.field, ...(owner === undefined ? [] : [owner.field, owner.relation])];
  const moved = bound.find((field) => data[field] !== undefined);
  if (moved !== undefined)
    throw refusal({ model, id, ...rest }, `${moved} cannot change: sealed values are bound to it`);
}

/**
 * Prisma accepts foreign keys either all as columns or all as relations, and the key columns are written as columns.
 */
function refuseParentRelations(model: SealedModel, data: WriteData): void {
  const relation = model.parents.find((field) => data[field] !== undefined);
  if (relation !== undefined) {
    throw refusal(model, `write the foreign key of ${relation} as a column when sealed values are written with it`);
  }
}

function toRowId(model: SealedModel, id: unknown, advice: string): string {
  if (typeof id !== 'string') throw refusal(model, `a sealed value is bound to its row: ${advice}`);
  return model.id.type === 'uuid' ? toCanonicalUuid(model, id) : id;
}

function toOwnerId(model: SealedModel, ownerId: unknown): string | undefined {
  if (model.owner === undefined) return undefined;
  if (typeof ownerId !== 'string') {
    throw refusal(model, `a sealed value is bound to its owner: name the row by ${model.owner.field} too`);
  }
  return toCanonicalUuid(model, ownerId);
}

/** PostgreSQL accepts several spellings of a UUID but prints only one, which is used when the value is opened. */
function toCanonicalUuid(model: SealedModel, text: string): string {
  if (!UUID.test(text)) throw refusal(model, 'a sealed value is bound to its row: an id here is not a UUID');
  return text.toLowerCase();
}

/** The message names the model and field, never a value. */
function refusal({ model }: SealedModel, message: string): SealingError {
  return new SealingError(`${model}: ${message}`);
}
