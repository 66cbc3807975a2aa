import { can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { ChatMessageRecord, ChatRecord, Page } from '../records.ts';
import { guarded } from './guarded.ts';

/** A position in a list: after the row with this creation time and id. */
export interface ChatCursor {
  createdAt: Date;
  id: string;
}

/** Chats and their messages. Other users' chats are not found. */
export function createChatRepository(db: PrismaStore) {
  const find = async (id: string, viewer: Viewer): Promise<ChatRecord | null> => {
    const chat = await db.chat.findUnique({ where: { id } });
    return chat !== null && can(viewer, 'chat.read', { ownerId: chat.ownerId }) ? chat : null;
  };

  return {
    findById: guarded('chat.read', (args: { id: string }, viewer) => find(args.id, viewer)),

    /** The viewer's own chats, newest first. */
    list: guarded(
      'chat.list',
      async (args: { first: number; after?: ChatCursor | undefined }, viewer): Promise<Page<ChatRecord>> => {
        const rows = await db.chat.findMany({
          where: { AND: [{ ownerId: ownIdOf(viewer) }, isBefore(args.after)] },
          orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
          take: args.first + 1,
        });
        return { rows: rows.slice(0, args.first), hasMore: rows.length > args.first };
      },
    ),

    count: guarded('chat.list', (_args: Record<never, never>, viewer) =>
      db.chat.count({ where: { ownerId: ownIdOf(viewer) } }),
    ),

    create: guarded(
      'chat.create',
      (args: { ownerId: string; title: string; mcpServerIds: readonly string[] }): Promise<ChatRecord> =>
        db.chat.create({ data: { ...args, mcpServerIds: [...args.mcpServerIds] } }),
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** Reads one of the viewer's chats and locks its row until the transaction ends. */
    lockOwn: guarded('chat.write', async (args: { id: string }, viewer): Promise<ChatRecord | null> => {
      await db.$queryRaw`SELECT id FROM chats WHERE id = ${args.id}::uuid FOR UPDATE`;
      const chat = await db.chat.findUnique({ where: { id: args.id } });
      return chat !== null && can(viewer, 'chat.write', { ownerId: chat.ownerId }) ? chat : null;
    }),

    /** Adds a message. Lock the chat first. */
    createMessage: guarded(
      'chat.write',
      async (args: {
        chatId: string;
        ownerId: string;
        content: string;
        mcpServerIds: readonly string[];
      }): Promise<ChatMessageRecord> => {
        const { chatId, content, mcpServerIds } = args;
        const message = await db.chatMessage.create({ data: { chatId, content } });
        await db.chat.update({ where: { id: chatId }, data: { mcpServerIds: [...mcpServerIds] } });
        return message;
      },
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** Oldest first. Find the chat first, which checks access. */
    listMessages: guarded(
      'chat.read',
      async (args: {
        chatId: string;
        ownerId: string;
        first: number;
        after?: ChatCursor | undefined;
      }): Promise<Page<ChatMessageRecord>> => {
        const { createdAt, id } = args.after ?? {};
        const rows = await db.chatMessage.findMany({
          where: {
            chatId: args.chatId,
            ...(createdAt !== undefined &&
              id !== undefined && { OR: [{ createdAt: { gt: createdAt } }, { createdAt, id: { gt: id } }] }),
          },
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
          take: args.first + 1,
        });
        return { rows: rows.slice(0, args.first), hasMore: rows.length > args.first };
      },
      (args) => ({ ownerId: args.ownerId }),
    ),

    countMessages: guarded(
      'chat.read',
      (args: { chatId: string; ownerId: string }) => db.chatMessage.count({ where: { chatId: args.chatId } }),
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** The number of chats that have selected a config, and of their owners. */
    countUses: guarded('mcpServerConfig.readImpact', async (args: { configId: string }) => {
      const [row] = await db.$queryRaw<{ chats: bigint; owners: bigint }[]>`
        SELECT count(*) AS chats, count(DISTINCT owner_id) AS owners FROM chats
        WHERE mcp_server_ids @> ARRAY[${args.configId}::uuid]`;
      return { chatCount: Number(row?.chats ?? 0), ownerCount: Number(row?.owners ?? 0) };
    }),

    /** The number of all chats. A config that is forced on is in every one. */
    countAll: guarded('mcpServerConfig.readImpact', () => db.chat.count()),

    /** Removes a deleted config from every chat. */
    dropServer: guarded('mcpServerConfig.delete', async (args: { configId: string }) => {
      await db.$executeRaw`
        UPDATE chats SET mcp_server_ids = array_remove(mcp_server_ids, ${args.configId}::uuid)
        WHERE mcp_server_ids @> ARRAY[${args.configId}::uuid]`;
    }),
  };
}

function ownIdOf(viewer: Viewer): string {
  // Anonymous callers and the system have no chats.
  return viewerUserId(viewer) ?? '00000000-0000-0000-0000-000000000000';
}

function isBefore(cursor: ChatCursor | undefined) {
  if (cursor === undefined) return {};
  const { createdAt, id } = cursor;
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] };
}
