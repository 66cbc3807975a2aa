/** The checks, in order. */
export const SERVER_CHECKS = [
  'exists',
  'visible',
  'enabled',
  'availability',
  'selected',
  'reachable',
  'connected',
  'tool_known',
  'tool_allowed',
  'tool_approved',
] as const;

/** One of them. */
export type ServerCheckName = (typeof SERVER_CHECKS)[number];

/** The result of a check, and how to change it. */
export interface ServerCheck {
  name: ServerCheckName;
  /** `skipped`: not applicable, or an earlier check already failed. */
  outcome: 'passed' | 'failed' | 'skipped';
  reason: string;
  /** How to fix a failed check. Null for other outcomes. */
  remedy: string | null;
}
