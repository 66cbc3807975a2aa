import { randomUUID } from 'node:crypto';
import type { McpToolRecord } from '../../src/data/records.ts';
import type { ListMerge } from '../../src/domain/catalogue/merge-list.ts';
import { type ListedTool, readTools } from '../../src/domain/catalogue/tool-definition.ts';

/** A definition as a server sends it. */
export function rawTool(name: string, more: object = {}): Record<string, unknown> {
  return { name, description: `Does ${name}.`, inputSchema: { type: 'object' }, ...more };
}

/** The same, as the catalogue reads it. */
export function listedTool(name: string, more: object = {}): ListedTool {
  const [tool] = readTools([rawTool(name, more)]).tools;
  if (tool === undefined) throw new Error(`the tool ${name} cannot be used`);
  return tool;
}

/** The rows after a merge, as the database would have them. */
export function applyMerge(rows: readonly McpToolRecord[], merge: ListMerge, userId: string | null): McpToolRecord[] {
  const deleted = new Set(merge.deletes);
  const updates = new Map(merge.updates.map((update) => [update.id, update]));
  const kept = rows.filter(({ id }) => !deleted.has(id)).map((row) => ({ ...row, ...updates.get(row.id) }));
  return [
    ...kept,
    ...merge.inserts.map((tool) => ({
      ...tool,
      id: randomUUID(),
      configId: 'config',
      userId,
      firstSeenAt: new Date(0),
      changedAt: null,
      goneAt: null,
      approvedDigest: null,
      approvedDefinition: null,
      approvedById: null,
      approvedAt: null,
    })),
  ];
}

/** The row with its present definition approved. */
export function approved(row: McpToolRecord): McpToolRecord {
  return { ...row, approvedDigest: row.digest, approvedDefinition: null, approvedAt: new Date(0) };
}
