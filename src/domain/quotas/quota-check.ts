import { QUOTAS, type QuotaName } from '../../limits/quotas.ts';
import type { Issues } from '../validation/issues.ts';

/** What each quota allows, and what somebody can do who has used it. */
const TEXTS: Readonly<
  Record<Exclude<QuotaName, 'sessionsPerUser' | `${string}PerMinute`>, { allows: string; help: string }>
> = {
  chatsPerUser: { allows: 'chats for each user', help: 'Continue in an existing chat.' },
  messageMegabytesPerUser: { allows: 'MB of messages for each user', help: 'Write a shorter message.' },
  messagesPerChat: { allows: 'messages in a chat', help: 'Continue in a new chat.' },
  apiTokensPerUser: { allows: 'active API tokens for each user', help: 'Revoke tokens that are not needed.' },
  serverConfigs: { allows: 'server configs', help: 'Delete configs that are not needed.' },
};

/** One use of a quota. */
export interface QuotaUse {
  quota: keyof typeof TEXTS;
  /** The quota, in its own unit. */
  limit: number;
  /** What is used without the new one, in the same unit. Read it under a lock. */
  used: number;
  /** What the new one takes; 1 when absent. */
  adds?: number;
}

/** Reports a use that would exceed its quota, as `QUOTA_EXCEEDED`. */
export function checkQuota(
  issues: Issues,
  path: readonly (string | number)[],
  { quota, limit, used, adds = 1 }: QuotaUse,
): void {
  if (used + adds <= limit) return;
  const { allows, help } = TEXTS[quota];
  const facts = `The limit is ${toText(limit)} ${allows}, and ${toText(used)} are used.`;
  const message = `${facts} ${help} The operator can raise ${QUOTAS[quota].setting}.`;
  issues.add(path, 'QUOTA_EXCEEDED', message);
}

/** Rounded up, so that no quota looks free that is not. */
function toText(amount: number): string {
  return (Math.ceil(amount * 10) / 10).toLocaleString('en');
}
