import type { McpToolApproval, McpToolRecord } from '../../data/records.ts';
import { decideTool, type ToolLists } from '../tools/tool-filter.ts';

/** Whether a tool may be used, and if not, why. */
export const TOOL_DECISIONS = ['allowed', 'denied', 'not_allowed', 'pending', 'gone'] as const;
/** One of them. */
export type CatalogueDecision = (typeof TOOL_DECISIONS)[number];

/** A tool of one list, with the decision about it. */
export interface DecidedTool {
  tool: McpToolRecord;
  decision: CatalogueDecision;
}

/** What a config says about its tools. */
export interface ToolRules extends ToolLists {
  readonly toolApproval: McpToolApproval;
}

/** @param approvedDigests the digests that an admin approved for this name */
export function decideCatalogueTool(
  rules: ToolRules,
  tool: Pick<McpToolRecord, 'name' | 'digest' | 'status'>,
  approvedDigests: readonly (string | null)[],
): CatalogueDecision {
  if (tool.status !== 'listed') return 'gone';
  const decision = decideTool(rules, tool.name);
  if (decision === 'denied_by_deny_list') return 'denied';
  if (decision === 'not_on_allow_list') return 'not_allowed';
  return rules.toolApproval === 'pin' && !approvedDigests.includes(tool.digest) ? 'pending' : 'allowed';
}

/**
 * The tools of a server as one user has them: the shared list, and the user's own rows in place of shared ones. In the
 * order of their names.
 *
 * @param shared rows of the shared list
 * @param own the user's rows, if any
 */
export function decideTools(
  rules: ToolRules,
  shared: readonly McpToolRecord[],
  own: readonly McpToolRecord[] = [],
): DecidedTool[] {
  const sharedByName = new Map(shared.map((row) => [row.name, row]));
  const byName = new Map([...sharedByName, ...own.map((row) => [row.name, row] as const)]);
  return [...byName.values()]
    .filter(({ status }) => status !== 'absent')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((tool) => {
      // A user may still get what was approved for everybody, while the shared list has moved on.
      const approved = [tool.approvedDigest, sharedByName.get(tool.name)?.approvedDigest ?? null];
      return { tool, decision: decideCatalogueTool(rules, tool, approved) };
    });
}

/**
 * Creates `decideTools` that decides a shared list once for all who have no rows of their own. Rules and rows that did not
 * change are the same objects in memory.
 */
export function createToolDecisions() {
  const known = new WeakMap<readonly McpToolRecord[], { rules: ToolRules; decided: readonly DecidedTool[] }>();
  return (
    rules: ToolRules,
    shared: readonly McpToolRecord[] = [],
    own: readonly McpToolRecord[] = [],
  ): readonly DecidedTool[] => {
    if (own.length > 0) return decideTools(rules, shared, own);
    const before = known.get(shared);
    if (before?.rules === rules) return before.decided;
    const decided = decideTools(rules, shared);
    known.set(shared, { rules, decided });
    return decided;
  };
}
