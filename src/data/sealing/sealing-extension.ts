import type { Keyring } from '../../crypto/keyring.ts';
import { Prisma } from '../generated/client.ts';
import type { FindRelation } from './relations.ts';
import type { WriteData } from './seal-row.ts';
import { createWriteSealer } from './seal-write.ts';
import { SEALED_MODELS, type SealedColumn, type SealedModel, type SealedModels } from './sealed-columns.ts';
import { type SealedValue, type SealingHooks, toSealedValue } from './sealed-value.ts';

/**
 * The Prisma client extension that seals what is written to the declared columns and gives back `SealedValue`s.
 *
 * Writers pass strings or null and never touch a key column. Every write operation seals, in transactions and nested
 * writes too; a write whose row or owner cannot be told beforehand is refused with a `SealingError`. Reads build a
 * `SealedValue` when the field is looked at and open nothing before its `open` is called, so that a list costs nothing
 * and a value that does not open breaks only its own use.
 *
 * Raw SQL goes past all of this: the CHECK constraints refuse plaintext there.
 */
export function createEncryptionExtension(keyring: Keyring, findRelation: FindRelation, hooks: SealingHooks) {
  const sealArguments = createWriteSealer(keyring, findRelation);
  return Prisma.defineExtension({
    name: 'encryption',
    query: {
      $allModels: {
        $allOperations({ model, operation, args, query }) {
          // Only `query` stays in the caller's transaction; the client itself would leave it, and wait for ever for
          // the embedded database's one connection.
          return query(sealArguments(model, operation, (args ?? {}) as WriteData) as typeof args);
        },
      },
    },
    result: createSealedResults(keyring, hooks),
  });
}

/** For each declared column a computed field of the same name, which takes the place of the stored text. */
type SealedResults = {
  [Model in SealedModels[number] as Uncapitalize<Model['model']>]: {
    [Column in Model['columns'][number] as Column['field']]: {
      needs: Record<never, boolean>;
      compute(row: object): Column['nullable'] extends true ? SealedValue | null : SealedValue;
    };
  };
};

function createSealedResults(keyring: Keyring, hooks: SealingHooks): SealedResults {
  const models = SEALED_MODELS.map((model: SealedModel) => {
    const fields = model.columns.map((column) => {
      const compute = (row: WriteData) => toResult(keyring, model, column, row, hooks);
      return [column.field, { needs: listNeeds(model, column), compute }];
    });
    return [model.model.replace(/^./, (letter) => letter.toLowerCase()), Object.fromEntries(fields)];
  });
  return Object.fromEntries(models) as SealedResults;
}

function listNeeds({ id, owner }: SealedModel, { field, keyField }: SealedColumn): Record<string, true> {
  return { [field]: true, [keyField]: true, [id.field]: true, ...(owner !== undefined && { [owner.field]: true }) };
}

function toResult(
  keyring: Keyring,
  { table, id, owner }: SealedModel,
  { field, keyField, column }: SealedColumn,
  row: WriteData,
  hooks: SealingHooks,
): SealedValue | null {
  const text = row[field];
  if (text === null) return null;
  const ownerId = owner === undefined ? undefined : String(row[owner.field]);
  const place = { table, column, rowId: String(row[id.field]), ownerId };
  return toSealedValue(keyring, { text: String(text), keyDigest: String(row[keyField]) }, place, hooks);
}
