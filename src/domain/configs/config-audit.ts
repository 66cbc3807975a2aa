import type { FieldChange, McpServerConfigRecord } from '../../data/records.ts';
import type { ConfigColumns } from '../../data/repositories/config-repository.ts';
import { SECRET_FIELDS } from './config-input.ts';

const SECRETS: ReadonlySet<string> = new Set(SECRET_FIELDS);

/** The audit log's reference to a config. */
export function toConfigTarget({ id, slug }: Pick<McpServerConfigRecord, 'id' | 'slug'>) {
  return { type: 'mcp_server_config', id, label: slug } as const;
}

/** The audit changes for a new config: all fields that are not empty. */
export function toCreationChanges(columns: ConfigColumns): FieldChange[] {
  return toChanges(columns, () => null).filter((change) => !('after' in change) || !isEmpty(change.after));
}

/** The audit changes for an update. */
export function toUpdateChanges(columns: Partial<ConfigColumns>, before: McpServerConfigRecord): FieldChange[] {
  return toChanges(columns, (field) => before[field as keyof McpServerConfigRecord] ?? null);
}

/** The audit changes for a deletion: all former values that were not empty. */
export function toDeletionChanges(config: McpServerConfigRecord): FieldChange[] {
  const { id: _id, secretKeyDigests: _digests, version: _version, ...fields } = config;
  const { createdAt: _created, updatedAt: _updated, createdById: _by, updatedById: _last, ...plain } = fields;
  return Object.entries(plain)
    .filter(([, before]) => !isEmpty(before))
    .map(([field, before]) => ({ field, before, after: null }));
}

function toChanges(columns: Partial<ConfigColumns>, beforeOf: (field: string) => unknown): FieldChange[] {
  return Object.entries(columns).flatMap(([field, after]): FieldChange[] => {
    // A secret that was absent and stays absent is not a change.
    if (SECRETS.has(field)) return after === null && beforeOf(field) === null && isNew(beforeOf) ? [] : [secret(field)];
    return [{ field, before: beforeOf(field), after }];
  });
}

function isNew(beforeOf: (field: string) => unknown): boolean {
  return beforeOf('slug') === null;
}

function secret(field: string): FieldChange {
  return { field, changed: true };
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
