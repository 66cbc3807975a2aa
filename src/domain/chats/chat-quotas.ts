import type { ChatRecord } from '../../data/records.ts';
import type { Repositories } from '../../data/store.ts';
import { unauthenticated } from '../../errors.ts';
import { MESSAGE_OVERHEAD_BYTES, type Quotas } from '../../limits/quotas.ts';
import type { Viewer } from '../../policy/viewer.ts';
import { checkQuota } from '../quotas/quota-check.ts';
import type { Issues } from '../validation/issues.ts';

const MEGABYTE = 1_000_000;

/** Reports a new chat that exceeds its owner's quota. Their other chats wait until the transaction ends. */
export async function checkChatQuota(
  tx: Pick<Repositories, 'usage'>,
  viewer: Viewer,
  issues: Issues,
  { quotas, ownerId }: { quotas: Quotas; ownerId: string },
): Promise<void> {
  const usage = await tx.usage.lockForChat(viewer, { ownerId });
  // The owner was deleted meanwhile.
  if (usage === null) throw unauthenticated();
  checkQuota(issues, [], { quota: 'chatsPerUser', limit: quotas.chatsPerUser, used: usage.chats });
}

/** Reports a new message that exceeds the quota of its chat or of its owner. Lock the chat first. */
export async function checkMessageQuota(
  tx: Pick<Repositories, 'usage'>,
  viewer: Viewer,
  issues: Issues,
  { quotas, chat, content }: { quotas: Quotas; chat: ChatRecord & { messageCount: number }; content: string },
): Promise<void> {
  const usage = await tx.usage.lockForMessage(viewer, { ownerId: chat.ownerId });
  if (usage === null) throw unauthenticated();
  checkQuota(issues, ['chatId'], {
    quota: 'messagesPerChat',
    limit: quotas.messagesPerChat,
    used: chat.messageCount,
  });
  checkQuota(issues, ['content'], {
    quota: 'messageMegabytesPerUser',
    limit: quotas.messageMegabytesPerUser,
    used: usage.messageBytes / MEGABYTE,
    adds: (Buffer.byteLength(content) + MESSAGE_OVERHEAD_BYTES) / MEGABYTE,
  });
}
