import type { McpToolRecord } from '../../data/records.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { toSkeleton } from './skeleton.ts';
import type { ListedTool } from './tool-definition.ts';

/** A new row. The rest follows from the list that it belongs to. */
export interface NewTool {
  name: string;
  skeleton: string;
  definition: string;
  digest: string;
  status: 'listed' | 'absent';
}

/** What changes of a row. */
export type ToolUpdate = Pick<
  McpToolRecord,
  'id' | 'definition' | 'digest' | 'status' | 'changedAt' | 'goneAt' | 'approvedDefinition'
>;

/** The writes that bring a stored list to what the server listed. */
export interface ListMerge {
  inserts: NewTool[];
  updates: ToolUpdate[];
  /** Ids of rows that say nothing any more. */
  deletes: string[];
}

/** What a server listed. */
export interface ListedTools {
  tools: readonly ListedTool[];
  /** Whether the server has more than was read. Then what is missing may still be there. */
  isCut: boolean;
}

/** Tools that count as listed, though a list that was cut lacks some of them. */
const MAX_LISTED = 2 * MCP_LIMITS.tools.value;

/** Rows of tools that are gone. The oldest are deleted beyond that: a server must not make the table grow. */
const MAX_GONE = MCP_LIMITS.goneTools.value;

/** Brings the shared list to what the server listed. A tool that is no longer listed is gone, but its row stays. */
export function mergeSharedList(
  stored: readonly McpToolRecord[],
  { tools: listed, isCut }: ListedTools,
  now: Date,
): ListMerge {
  const byName = new Map(stored.map((row) => [row.name, row]));
  const names = new Set(listed.map(({ name }) => name));
  const notListed = stored.filter(({ name, status }) => status === 'listed' && !names.has(name));
  const missing = notListed.slice(isCut ? Math.max(0, MAX_LISTED - listed.length) : 0);
  const gone = stored.filter(({ name, status }) => status === 'gone' && !names.has(name)).sort(compareGone);
  const kept = Math.max(0, MAX_GONE - missing.length);
  return {
    inserts: listed.filter(({ name }) => !byName.has(name)).map((tool) => toNewTool(tool)),
    updates: [
      ...listed.flatMap((tool) => toUpdates(byName.get(tool.name), tool, now)),
      ...missing.map((row) => toGone(row, now)),
    ],
    deletes: gone.slice(kept).map(({ id }) => id),
  };
}

/** Brings the rows of one user to where their list differs from the shared one. */
export function mergeUserList(
  stored: readonly McpToolRecord[],
  { tools: listed, isCut }: ListedTools,
  shared: readonly McpToolRecord[],
  now: Date,
): ListMerge {
  const sharedByName = new Map(shared.filter(({ status }) => status === 'listed').map((row) => [row.name, row]));
  const names = new Set(listed.map(({ name }) => name));
  const differing = listed.filter(({ name, digest }) => sharedByName.get(name)?.digest !== digest);
  const absent = isCut ? [] : [...sharedByName.keys()].filter((name) => !names.has(name));
  const wanted: NewTool[] = [
    ...differing.map((tool) => toNewTool(tool)),
    ...absent.map((name) => toNewTool({ name, definition: '', digest: '' }, 'absent')),
  ];
  const byName = new Map(stored.map((row) => [row.name, row]));
  const wantedNames = new Set(wanted.map(({ name }) => name));
  return {
    inserts: wanted.filter(({ name }) => !byName.has(name)),
    updates: wanted.flatMap((tool) => toUpdates(byName.get(tool.name), tool, now)),
    deletes: stored.filter(({ name }) => !wantedNames.has(name)).map(({ id }) => id),
  };
}

/** Those that went last come first. */
function compareGone(a: McpToolRecord, b: McpToolRecord): number {
  return (b.goneAt?.getTime() ?? 0) - (a.goneAt?.getTime() ?? 0);
}

function toNewTool(tool: ListedTool, status: NewTool['status'] = 'listed'): NewTool {
  return { ...tool, skeleton: toSkeleton(tool.name), status };
}

/** What a row becomes when the server lists the tool like this. Nothing, if it is like this already. */
function toUpdates(
  row: McpToolRecord | undefined,
  tool: ListedTool & { status?: NewTool['status'] },
  now: Date,
): ToolUpdate[] {
  if (row === undefined) return [];
  const { definition, digest, status = 'listed' } = tool;
  const isChanged = row.digest !== digest;
  if (!isChanged && row.definition === definition && row.status === status) return [];
  return [
    {
      id: row.id,
      definition,
      digest,
      status,
      goneAt: null,
      changedAt: isChanged ? now : row.changedAt,
      approvedDefinition: keepApproved(row, digest),
    },
  ];
}

/** The approved definition is stored apart while the present one differs, for a comparison. */
function keepApproved(row: McpToolRecord, digest: string): string | null {
  if (row.approvedDigest === null || row.approvedDigest === digest) return null;
  return row.approvedDigest === row.digest ? row.definition : row.approvedDefinition;
}

function toGone(row: McpToolRecord, now: Date): ToolUpdate {
  const { id, definition, digest, changedAt, approvedDefinition } = row;
  return { id, definition, digest, changedAt, approvedDefinition, status: 'gone', goneAt: now };
}
