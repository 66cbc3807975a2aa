/** How a value is counted. `bytes` are shown in KiB or MB where that is shorter. */
export type LimitUnit = 'count' | 'bytes' | 'MB' | 'characters' | 'ms' | 'seconds';

/** One limit. docs/limits.md is made from all of them, and the code that enforces a limit takes its value from here. */
export interface Limit {
  /** What is limited, e.g. `Chats of a user`. */
  what: string;
  /** The limit, or its default if a setting changes it. The value itself is still allowed. */
  value: number;
  unit: LimitUnit;
  /** The environment variable that changes it. Absent: the limit is fixed. */
  setting?: string;
  /** What a caller gets who asks for more, or what the gateway does instead. */
  answer: string;
}
