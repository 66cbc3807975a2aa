import type { McpToolApproval } from '../generated/graphql.ts';

/** The rules for the tools of a server, and what else of it is used. */
export interface Rules {
  allow: readonly string[];
  deny: readonly string[];
  approval: McpToolApproval;
  hasResources: boolean;
  hasPrompts: boolean;
}

/** On which list a tool is. */
export type Rule = 'none' | 'allow' | 'deny';

/** The stored rules. */
export function readRules(server: {
  toolAllowList: readonly string[];
  toolDenyList: readonly string[];
  toolApproval: McpToolApproval | null;
  exposeResources: boolean | null;
  exposePrompts: boolean | null;
}): Rules {
  return {
    allow: server.toolAllowList,
    deny: server.toolDenyList,
    approval: server.toolApproval ?? 'AUTO',
    hasResources: server.exposeResources ?? false,
    hasPrompts: server.exposePrompts ?? false,
  };
}

/** The rule of one tool. Denial is the stronger one. */
export function ruleOf({ allow, deny }: Rules, name: string): Rule {
  if (deny.includes(name)) return 'deny';
  return allow.includes(name) ? 'allow' : 'none';
}

/** The rules with another one for a tool. */
export function withRule(rules: Rules, name: string, rule: Rule): Rules {
  const others = (list: readonly string[]): string[] => list.filter((each) => each !== name);
  return {
    ...rules,
    allow: [...others(rules.allow), ...(rule === 'allow' ? [name] : [])],
    deny: [...others(rules.deny), ...(rule === 'deny' ? [name] : [])],
  };
}

/** Whether both say the same, in whatever order. */
export function isSameRules(left: Rules, right: Rules): boolean {
  const toKey = ({ allow, deny, ...rest }: Rules) => JSON.stringify([[...allow].sort(), [...deny].sort(), rest]);
  return toKey(left) === toKey(right);
}
