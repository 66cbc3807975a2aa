/** The checks in the order in which they are made. */
export const SERVER_CHECKS = [
  'exists',
  'visible',
  'enabled',
  'availability',
  'selected',
  'connected',
  'tool_allowed',
] as const;

/** One of them. */
export type ServerCheckName = (typeof SERVER_CHECKS)[number];

/** How one check ended, and what would change it. */
export interface ServerCheck {
  name: ServerCheckName;
  /** `skipped`: there was nothing to ask, or an earlier check decided already. */
  outcome: 'passed' | 'failed' | 'skipped';
  reason: string;
  /** What somebody can do to change a failed check; null for the others. */
  remedy: string | null;
}
