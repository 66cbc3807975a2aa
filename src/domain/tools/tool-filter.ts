/** The lists that decide which of a server's tools may be used. */
export interface ToolLists {
  readonly toolAllowList: readonly string[];
  readonly toolDenyList: readonly string[];
}

/** Why a tool may be used or not. */
export type ToolDecision = 'allowed' | 'denied_by_deny_list' | 'not_on_allow_list';

/**
 * The rule for tools: the deny list always wins, and a non-empty allow list admits only its names. Names are the
 * server's own and are compared exactly.
 */
export function decideTool({ toolAllowList, toolDenyList }: ToolLists, tool: string): ToolDecision {
  if (toolDenyList.includes(tool)) return 'denied_by_deny_list';
  if (toolAllowList.length > 0 && !toolAllowList.includes(tool)) return 'not_on_allow_list';
  return 'allowed';
}

/** The server's tools that may be used, in their order. */
export function filterTools<Tool extends { name: string }>(lists: ToolLists, tools: readonly Tool[]): Tool[] {
  return tools.filter(({ name }) => decideTool(lists, name) === 'allowed');
}
