import type { ToolApproval } from '../../data/records.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { isStorable } from '../validation/text.ts';
import type { FieldReader } from './field-reader.ts';

const FIELD = 'approvedTools';

/** Reads the approvals of a server: names of tools and the digests that were approved. */
export function readApprovedTools(reader: FieldReader): ToolApproval[] {
  const entries = reader.objects(FIELD) ?? [];
  const path = [...reader.path, FIELD];
  if (entries.length > MCP_LIMITS.approved.value) {
    reader.issues.add(path, 'TOO_MANY', `Must have at most ${MCP_LIMITS.approved.value} entries.`);
    return [];
  }
  const found = new Map<string, ToolApproval>();
  for (const entry of entries) {
    const name = entry.text('name') ?? '';
    const digest = entry.text('digest') ?? '';
    const isName = name !== '' && [...name].length <= MCP_LIMITS.toolName.value && isStorable(name);
    if (!isName) entry.issues.add([...entry.path, 'name'], 'WRONG_TYPE', 'Must be the name of a tool.');
    if (!/^[0-9a-f]{64}$/.test(digest)) {
      entry.issues.add([...entry.path, 'digest'], 'WRONG_TYPE', 'Must be a digest: 64 hexadecimal digits.');
    }
    found.set(`${digest} ${name}`, { name, digest });
  }
  return [...found.values()];
}
