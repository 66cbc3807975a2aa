import { can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { Prisma } from '../generated/client.ts';
import type { ChatRecord, FullMessageRecord, ListedMessageRecord, Page } from '../records.ts';
import { guarded } from './guarded.ts';

/** A position in a list: after the row with this creation time and id. */
export interface ChatCursor {
  createdAt: Date;
  id: string;
}

/** A part of a list of messages: the first ones, or those after a place; or the last ones, or those before it. */
export interface MessagePagePlace {
  from: 'start' | 'end';
  size: number;
  beyond?: ChatCursor | undefined;
}

/** What only quotas need. */
const WITHOUT_USAGE = { messageCount: true, messageBytes: true } as const;

/** Chats and their messages. Other users' chats are not found. */
export function createChatRepository(db: PrismaStore) {
  const find = async (id: string, viewer: Viewer): Promise<ChatRecord | null> => {
    const chat = await db.chat.findUnique({ where: { id }, omit: WITHOUT_USAGE });
    return chat !== null && can(viewer, 'chat.read', { ownerId: chat.ownerId }) ? chat : null;
  };

  return {
    findById: guarded('chat.read', (args: { id: string }, viewer) => find(args.id, viewer)),

    /** Some chats, by id. Those that the viewer may not read are left out. */
    findByIds: guarded('chat.read', async (args: { ids: readonly string[] }, viewer) => {
      const rows = await db.$queryRaw<ChatRecord[]>`
        SELECT id::text, owner_id::text AS "ownerId", title, mcp_server_ids::text[] AS "mcpServerIds",
          created_at AS "createdAt", updated_at AS "updatedAt"
        FROM chats WHERE id = ANY (${args.ids}::uuid[])`;
      const visible = rows.filter(({ ownerId }) => can(viewer, 'chat.read', { ownerId }));
      return new Map(visible.map((chat) => [chat.id, chat]));
    }),

    /** The viewer's own chats, newest first. */
    list: guarded(
      'chat.list',
      async (args: { first: number; after?: ChatCursor | undefined }, viewer): Promise<Page<ChatRecord>> => {
        const rows = await db.chat.findMany({
          where: { AND: [{ ownerId: ownIdOf(viewer) }, isBefore(args.after)] },
          orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
          take: args.first + 1,
          omit: WITHOUT_USAGE,
        });
        return { rows: rows.slice(0, args.first), hasMore: rows.length > args.first };
      },
    ),

    /** How many chats the viewer has. Triggers keep the number, so nothing is counted here. */
    count: guarded('chat.list', async (_args: Record<never, never>, viewer): Promise<number> => {
      const usage = await db.userUsage.findUnique({ where: { userId: ownIdOf(viewer) }, select: { chats: true } });
      return usage?.chats ?? 0;
    }),

    create: guarded(
      'chat.create',
      (args: { ownerId: string; title: string; mcpServerIds: readonly string[] }): Promise<ChatRecord> =>
        db.chat.create({ data: { ...args, mcpServerIds: [...args.mcpServerIds] }, omit: WITHOUT_USAGE }),
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** Reads one of the viewer's chats, with its number of messages, and locks its row until the transaction ends. */
    lockOwn: guarded(
      'chat.write',
      async (args: { id: string }, viewer): Promise<(ChatRecord & { messageCount: number }) | null> => {
        await db.$queryRaw`SELECT id FROM chats WHERE id = ${args.id}::uuid FOR UPDATE`;
        const chat = await db.chat.findUnique({ where: { id: args.id }, omit: { messageBytes: true } });
        return chat !== null && can(viewer, 'chat.write', { ownerId: chat.ownerId }) ? chat : null;
      },
    ),

    /** Adds a message. Lock the chat first. */
    createMessage: guarded(
      'chat.write',
      async (args: {
        chatId: string;
        ownerId: string;
        content: string;
        mcpServerIds: readonly string[];
      }): Promise<FullMessageRecord> => {
        const { chatId, content, mcpServerIds } = args;
        const message = await db.chatMessage.create({ data: { chatId, content } });
        await db.chat.update({ where: { id: chatId }, data: { mcpServerIds: [...mcpServerIds] } });
        return message;
      },
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** Changes the title or the servers. Lock the chat first. */
    update: guarded(
      'chat.write',
      (args: { id: string; ownerId: string; title: string; mcpServerIds: readonly string[] }): Promise<ChatRecord> => {
        const { id, title, mcpServerIds } = args;
        return db.chat.update({ where: { id }, data: { title, mcpServerIds: [...mcpServerIds] }, omit: WITHOUT_USAGE });
      },
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** Deletes a chat with its messages. Lock the chat first. */
    delete: guarded(
      'chat.delete',
      async (args: { id: string; ownerId: string }): Promise<void> => {
        await db.chat.delete({ where: { id: args.id } });
      },
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** A page of the messages of each chat, by chat id, oldest first: one statement for all of them. */
    listMessages: guarded(
      'chat.read',
      async (
        args: { chats: readonly Pick<ChatRecord, 'id' | 'ownerId'>[]; place: MessagePagePlace },
        viewer,
      ): Promise<Map<string, Page<ListedMessageRecord>>> => {
        const { from, size, beyond } = args.place;
        const chatIds = readableIds(args.chats, viewer);
        const [isBeyond, order] =
          from === 'start'
            ? [Prisma.sql`>`, Prisma.sql`created_at, id`]
            : [Prisma.sql`<`, Prisma.sql`created_at DESC, id DESC`];
        const isInside =
          beyond === undefined
            ? Prisma.empty
            : Prisma.sql`AND (created_at, id) ${isBeyond} (${beyond.createdAt}::timestamptz, ${beyond.id}::uuid)`;
        const rows = await db.$queryRaw<ListedMessageRecord[]>`
          SELECT message.id::text, message.chat_id::text AS "chatId", message.created_at AS "createdAt",
            octet_length(message.content) AS "contentBytes"
          FROM unnest(${chatIds}::uuid[]) AS chat (id) CROSS JOIN LATERAL (
            SELECT * FROM chat_messages WHERE chat_id = chat.id ${isInside} ORDER BY ${order} LIMIT ${size + 1}
          ) AS message
          ORDER BY message.created_at, message.id`;
        const byChat = new Map<string, ListedMessageRecord[]>(chatIds.map((id) => [id, []]));
        for (const row of rows) byChat.get(row.chatId)?.push(row);
        return new Map(
          [...byChat].map(([id, found]) => [
            id,
            {
              rows: from === 'start' ? found.slice(0, size) : found.slice(Math.max(found.length - size, 0)),
              hasMore: found.length > size,
            },
          ]),
        );
      },
    ),

    /** The texts of messages, by id. Messages of chats that the viewer may not read are left out. */
    findContents: guarded('chat.read', async (args: { ids: readonly string[] }, viewer) => {
      const rows = await db.chatMessage.findMany({
        where: { id: { in: [...args.ids] } },
        select: { id: true, content: true, chat: { select: { ownerId: true } } },
      });
      const visible = rows.filter(({ chat }) => can(viewer, 'chat.read', chat));
      return new Map(visible.map(({ id, content }) => [id, content]));
    }),

    /** The number of messages of each chat, by chat id. Triggers keep it, so nothing is counted here. */
    countMessages: guarded(
      'chat.read',
      async (args: { chats: readonly Pick<ChatRecord, 'id' | 'ownerId'>[] }, viewer) => {
        const rows = await db.chat.findMany({
          where: { id: { in: readableIds(args.chats, viewer) } },
          select: { id: true, messageCount: true },
        });
        return new Map(rows.map(({ id, messageCount }) => [id, messageCount]));
      },
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

/** The ids of chats, less those that the viewer may not read. */
function readableIds(chats: readonly Pick<ChatRecord, 'id' | 'ownerId'>[], viewer: Viewer): string[] {
  return chats.filter(({ ownerId }) => can(viewer, 'chat.read', { ownerId })).map(({ id }) => id);
}

function ownIdOf(viewer: Viewer): string {
  // Anonymous callers and the system have no chats.
  return viewerUserId(viewer) ?? '00000000-0000-0000-0000-000000000000';
}

function isBefore(cursor: ChatCursor | undefined) {
  if (cursor === undefined) return {};
  const { createdAt, id } = cursor;
  // The first condition follows from the others, and tells the database where to begin in the index.
  return { createdAt: { lte: createdAt }, OR: [{ createdAt: { lt: createdAt } }, { id: { lt: id } }] };
}
