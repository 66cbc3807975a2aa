import type { McpServerConfigRecord } from '../../data/records.ts';
import { findSimilarName } from '../validation/nearest-name.ts';
import type { DecidedTool } from './tool-decision.ts';

/** The lists of a config that name tools. */
export const TOOL_LISTS = ['allow', 'deny'] as const;

/** A name on an allow or deny list that the catalogue does not know. Perhaps it is misspelled. */
export interface ToolListWarning {
  list: (typeof TOOL_LISTS)[number];
  name: string;
  /** A tool of the server whose name differs only a little. Null if there is none. */
  similar: string | null;
}

/** Names that are compared with all tools of the server. Comparing takes time. */
const COMPARED_NAMES = 20;

/**
 * The names on the lists that are no tools of the server. None while the server's tools are not known. A tool that is gone is
 * known: it may come back.
 */
export function findListWarnings(
  { toolAllowList, toolDenyList }: Pick<McpServerConfigRecord, 'toolAllowList' | 'toolDenyList'>,
  decided: readonly DecidedTool[],
): ToolListWarning[] {
  if (decided.length === 0) return [];
  const known = new Set(decided.map(({ tool }) => tool.name));
  const unknown = [
    ...toolAllowList.map((name) => ({ list: 'allow' as const, name })),
    ...toolDenyList.map((name) => ({ list: 'deny' as const, name })),
  ].filter(({ name }) => !known.has(name));
  return unknown.map((each, index) => ({
    ...each,
    similar: index < COMPARED_NAMES ? (findSimilarName(each.name, known) ?? null) : null,
  }));
}
