import type { McpServerConfigRecord } from '../records.ts';
import { type ConfigRow, toRecord } from './config-repository.ts';

/** Columns whose field name is not simply the column name in camel case. */
const FIELDS: Readonly<Record<string, string>> = {
  created_by: 'createdById',
  updated_by: 'updatedById',
};

/** Reads a config from the JSON that triggers record: PostgreSQL's `to_jsonb` of the row without its sealed values. */
export function toConfigFromJson(row: Readonly<Record<string, unknown>>): McpServerConfigRecord {
  const fields = Object.entries(row).map(([column, value]) => [toField(column), value] as const);
  const { createdAt, updatedAt, ...rest } = Object.fromEntries(fields) as Record<string, unknown>;
  return toRecord({
    ...rest,
    createdAt: new Date(String(createdAt)),
    updatedAt: new Date(String(updatedAt)),
  } as unknown as ConfigRow);
}

function toField(column: string): string {
  return FIELDS[column] ?? column.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
