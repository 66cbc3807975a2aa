import type { ChatMessageRecord, ChatRecord } from '../../data/records.ts';
import type { ChatServer } from '../../domain/chats/effective-servers.ts';
import { notFound } from '../../errors.ts';
import { builder } from '../builder.ts';
import { McpServerStateEnum } from '../mcp-server-config/enums.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';
import { encodeCursor, pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { parseTimeCursor } from '../time-cursor.ts';
import { UserType } from '../user/type.ts';
import { ChatMcpServerSourceEnum } from './enums.ts';

const MESSAGE_CURSOR_KIND = 'chatMessage';

/** `ChatMcpServer` */
export const ChatMcpServerType = builder.objectRef<ChatServer>('ChatMcpServer').implement({
  description: "A server that applies in a chat, and how it stands for the chat's owner.",
  fields: (t) => ({
    config: t.field({ type: McpServerConfigType, description: 'The server.', resolve: ({ config }) => config }),
    source: t.expose('source', { type: ChatMcpServerSourceEnum, description: 'Why it is in the chat.' }),
    state: t.expose('state', { type: McpServerStateEnum, description: "How it stands for the chat's owner." }),
    reason: t.exposeString('reason', { description: 'Source and state in words. Text, not HTML.' }),
  }),
});

/** `ChatMessage` */
export const ChatMessageType = builder.objectRef<ChatMessageRecord>('ChatMessage').implement({
  description: 'A message of a chat.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Identity, for ever.' }),
    content: t.exposeString('content', { description: 'What was written.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
  }),
});

const ChatMessageConnection = builder.connectionObject(
  { type: ChatMessageType, name: 'ChatMessageConnection', description: 'A page of messages.' },
  { name: 'ChatMessageEdge', description: 'A message and its cursor.' },
);

/** `Chat` */
export const ChatType = builder.objectRef<ChatRecord>('Chat').implement({
  description: 'A chat of one user. For its owner, and for services.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Identity, for ever.' }),
    title: t.exposeString('title', { description: 'Name for people; may be empty.' }),
    owner: t.field({
      type: UserType,
      description: 'Whose it is.',
      resolve: async (chat, _args, { loaders }) => {
        const owner = await loaders.userById.load(chat.ownerId);
        if (owner === null) throw notFound('user');
        return owner;
      },
    }),
    mcpServerIds: t.field({
      type: ['UUID'],
      description: 'The servers that were chosen for it. What applies is in `mcpServers`.',
      resolve: (chat) => chat.mcpServerIds,
    }),
    mcpServers: t.field({
      type: [ChatMcpServerType],
      description: 'What applies in it now: the chosen and the forced ones, less those that are switched off.',
      resolve: (chat, _args, { loaders }) => loaders.chatServers.load(chat),
    }),
    messages: t.field({
      type: ChatMessageConnection,
      description: 'Its messages, oldest first.',
      args: pageArgs,
      resolve: async (chat, args, context) => {
        const { viewer, services } = context;
        const page = await services.chats.listMessages(viewer, chat, {
          first: takeFirst(args.first, context),
          after: args.after == null ? undefined : parseTimeCursor(MESSAGE_CURSOR_KIND, args.after),
        });
        return toConnection(
          page,
          (message) => encodeCursor(MESSAGE_CURSOR_KIND, [message.createdAt.toISOString(), message.id]),
          () => services.chats.countMessages(viewer, chat),
        );
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was begun.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed.' }),
  }),
});
