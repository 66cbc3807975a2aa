import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import {
  KEY_MODEL,
  listSealedColumns,
  SEALED_MODELS,
  type SealedModel,
} from '../../src/data/sealing/sealed-columns.ts';
import { openTestDatabase } from '../setup/database.ts';

interface Field {
  name: string;
  column: string;
  type: string;
  isOptional: boolean;
  /** The foreign key's field, for a relation that has it. */
  from: string | undefined;
}

/** Models of schema.prisma with their tables and fields; Prisma Client does not tell foreign keys at run time. */
async function readSchema(): Promise<Map<string, { table: string; fields: Field[] }>> {
  const text = await readFile(new URL('../../prisma/schema.prisma', import.meta.url), 'utf8');
  const models = [...text.matchAll(/^model (\w+) \{\n(.*?)^\}/gms)];
  return new Map(
    models.map(([, model = '', body = '']) => {
      const fields = [...body.matchAll(/^ {2}(\w+)\s+(\w+)(\??)(?:\[\])?(.*)$/gm)].map(
        ([, name = '', type = '', optional, attributes = '']) => ({
          name,
          type,
          column: /@map\("(\w+)"\)/.exec(attributes)?.[1] ?? name,
          isOptional: optional === '?',
          from: /@relation\(.*fields: \[(\w+)\]/.exec(attributes)?.[1],
        }),
      );
      return [model, { table: /@@map\("(\w+)"\)/.exec(body)?.[1] ?? model, fields }];
    }),
  );
}

let database: Database;

beforeAll(async () => {
  database = await openTestDatabase();
});

afterAll(() => database.close());

const declared = listSealedColumns()
  .map(({ model, column }) => ({ table: model.table, keyColumn: column.keyColumn }))
  .sort(byPlace);

function byPlace(a: { table: string; keyColumn: string }, b: { table: string; keyColumn: string }): number {
  return `${a.table}.${a.keyColumn}` < `${b.table}.${b.keyColumn}` ? -1 : 1;
}

test("the declared columns are those of the schema's relations to the keys", async () => {
  const schema = await readSchema();
  const related = [...schema.values()].flatMap(({ table, fields }) =>
    fields.flatMap(({ type, from }) => {
      const key = fields.find(({ name }) => name === from);
      return type === KEY_MODEL && key !== undefined ? [{ table, keyColumn: key.column }] : [];
    }),
  );
  expect(related).not.toEqual([]);
  expect(declared).toEqual(related.sort(byPlace));
});

test("the declared columns are those of the database's foreign keys to the keys", async () => {
  const rows = await database.query(`
      SELECT source.relname AS "table", a.attname AS "keyColumn"
      FROM pg_constraint c
      JOIN pg_class source ON source.oid = c.conrelid
      JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
      JOIN pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = c.confkey[1]
      WHERE c.contype = 'f' AND c.confrelid = 'encryption_keys'::regclass
        AND t.attname = 'active_digest' AND cardinality(c.conkey) = 1
        AND c.confdeltype = 'r' AND c.confupdtype = 'r'`);
  expect(declared).toEqual((rows as typeof declared).sort(byPlace));
});

test.each<SealedModel>([...SEALED_MODELS])("the declaration of $model has the schema's names", async (model) => {
  const schema = await readSchema();
  const { table, fields = [] } = schema.get(model.model) ?? {};
  const find = (name: string) => fields.find((field) => field.name === name);
  expect(model.table).toBe(table);
  expect(find(model.id.field)?.column).toBe(model.id.column);
  if (model.owner !== undefined) {
    expect(find(model.owner.field)?.column).toBe(model.owner.column);
    expect(find(model.owner.relation)?.from).toBe(model.owner.field);
  }
  for (const { field, column, keyField, keyColumn, nullable } of model.columns) {
    expect(find(field)).toMatchObject({ column, isOptional: nullable });
    expect(find(keyField)).toMatchObject({ column: keyColumn, isOptional: nullable });
  }
  const parents = fields.filter(({ from, type }) => from !== undefined && type !== KEY_MODEL);
  expect([...model.parents].sort()).toEqual(parents.map(({ name }) => name).sort());
});

test('each declared column has a CHECK that refuses plaintext', async () => {
  const rows = await database.query(
    `SELECT conrelid::regclass::text AS "table", pg_get_constraintdef(oid) AS definition
       FROM pg_constraint WHERE contype = 'c'`,
  );
  for (const { model, column } of listSealedColumns()) {
    const checks = rows.filter((row) => row['table'] === model.table).map((row) => String(row['definition']));
    const sealed = checks.find((check) => check.includes(`${column.column} ~ '^v[12]:[A-Za-z0-9_-]{107,}$'`));
    expect(sealed, `${model.table}.${column.column}`).toBeDefined();
  }
});
