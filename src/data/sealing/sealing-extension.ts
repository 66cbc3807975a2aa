import type { Keyring } from '../../crypto/keyring.ts';
import { Prisma } from '../generated/client.ts';
import type { FindRelation } from './relations.ts';
import type { WriteData } from './seal-row.ts';
import { createWriteSealer } from './seal-write.ts';
import { SEALED_MODELS, type SealedColumn, type SealedModel, type SealedModels } from './sealed-columns.ts';
import { type SealedValue, type SealingHooks, toSealedValue } from './sealed-value.ts';

/**
 * The Prisma client extension that seals writes to the declared columns and returns `SealedValue`s on reads.
 *
 * Callers write the results of `sealFor` or null, and never set a key column. Every write operation seals, including in transactions and
 * nested writes; a write whose row or owner is not known in advance is rejected with a `SealingError`. Reads create a
 * `SealedValue` when the field is accessed and decrypt nothing until `openFor` is called. So lists are cheap, and a value
 * that does not open only breaks its own use.
 *
 * Raw SQL bypasses all of this; CHECK constraints reject plaintext there.
 */
export function createEncryptionExtension(keyring: Keyring, findRelation: FindRelation, hooks: SealingHooks) {
  const sealArguments = createWriteSealer(keyring, findRelation);
  return Prisma.defineExtension({
    name: 'encryption',
    query: {
      $allModels: {
        $allOperations({ model, operation, args, query }) {
          // Only `query` stays in the caller's transaction. Using the client itself would leave it, and wait forever
          // for the embedded database's single connection.
          return query(sealArguments(model, operation, (args ?? {}) as WriteData) as typeof args);
        },
      },
    },
    result: createSealedResults(keyring, hooks),
  });
}

/** A computed field for each declared column, with the same name, that replaces the stored text. */
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
