import DataLoader from 'dataloader';
import { can } from '../../policy/policy.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { ChatRecord } from '../records.ts';
import type { createChatRepository } from '../repositories/chat-repository.ts';
import { guarded } from '../repositories/guarded.ts';

type ChatRepository = ReturnType<typeof createChatRepository>;

const CHATS_AT_ONCE = 100;

/**
 * Reads the chats that are asked for in one turn of the event loop with one statement. Nothing is kept: the feed does not
 * tell changes of chats, and each answer is from after its question.
 */
export function createChatReads(stored: Pick<ChatRepository, 'findByIds'>): Pick<ChatRepository, 'findById'> {
  const loader = new DataLoader<string, ChatRecord | null>(
    async (ids) => {
      const found = await stored.findByIds(SYSTEM, { ids });
      return ids.map((id) => found.get(id) ?? null);
    },
    { cache: false, maxBatchSize: CHATS_AT_ONCE, batchScheduleFn: setImmediate },
  );
  return {
    findById: guarded('chat.read', async ({ id }: { id: string }, viewer) => {
      const chat = await loader.load(id.toLowerCase());
      return chat !== null && can(viewer, 'chat.read', { ownerId: chat.ownerId }) ? chat : null;
    }),
  };
}
