import type { ChatRecord, FullMessageRecord, ListedMessageRecord } from '../../data/records.ts';
import type { AvailableServer } from '../../domain/chats/available-servers.ts';
import type { ChatServer } from '../../domain/chats/effective-servers.ts';
import { notFound } from '../../errors.ts';
import { builder } from '../builder.ts';
import { McpAvailabilityEnum, McpServerStateEnum } from '../mcp-server-config/enums.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';
import { endArgs, pageArgs, takePage, toConnection } from '../pagination.ts';
import { decodeTimeCursor, encodeTimeCursor } from '../time-cursor.ts';
import { UserType } from '../user/type.ts';
import { ChatMcpServerSourceEnum } from './enums.ts';

const MESSAGE_CURSOR_KIND = 'chatMessage';

/** `ChatMcpServer` */
export const ChatMcpServerType = builder.objectRef<ChatServer>('ChatMcpServer').implement({
  description: "A server that applies in a chat, and whether the chat's owner can use it.",
  fields: (t) => ({
    config: t.field({ type: McpServerConfigType, description: 'The server.', resolve: ({ config }) => config }),
    source: t.expose('source', { type: ChatMcpServerSourceEnum, description: 'Why the server applies in the chat.' }),
    state: t.expose('state', { type: McpServerStateEnum, description: "Whether the chat's owner can use the server." }),
    reason: t.exposeString('reason', { description: 'Source and state as a sentence. Plain text, not HTML.' }),
  }),
});

/** `AvailableMcpServer` */
export const AvailableMcpServerType = builder.objectRef<AvailableServer>('AvailableMcpServer').implement({
  description: "A server to choose from for a chat, and whether the chat's owner can use it.",
  fields: (t) => ({
    config: t.field({ type: McpServerConfigType, description: 'The server.', resolve: ({ config }) => config }),
    availability: t.field({
      type: McpAvailabilityEnum,
      description: 'Which chats the server applies in.',
      resolve: ({ config }) => config.availability,
    }),
    source: t.expose('source', {
      type: ChatMcpServerSourceEnum,
      nullable: true,
      description: 'Why the server applies in the chat; null if it does not.',
    }),
    state: t.expose('state', { type: McpServerStateEnum, description: "Whether the chat's owner can use the server." }),
    reason: t.exposeString('reason', { description: 'Source and state in sentences. Plain text, not HTML.' }),
    isLocked: t.exposeBoolean('isLocked', {
      description: 'Whether an admin forces the server into every chat, so that it cannot be left out.',
    }),
  }),
});

/** `ChatMessage` */
export const ChatMessageType = builder.objectRef<FullMessageRecord | ListedMessageRecord>('ChatMessage').implement({
  description: 'A message in a chat.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Permanent id.' }),
    content: t.string({
      description: 'The text of the message.',
      resolve: (message, _args, { loaders, budget }) => {
        if ('content' in message) return message.content;
        return budget.reserve(message.contentBytes) ? loaders.messageContent.load(message.id) : '';
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the message was written.' }),
  }),
});

const ChatMessageConnection = builder.connectionObject(
  { type: ChatMessageType, name: 'ChatMessageConnection', description: 'A page of messages.' },
  { name: 'ChatMessageEdge', description: 'A message and its cursor.' },
);

/** `Chat` */
export const ChatType = builder.objectRef<ChatRecord>('Chat').implement({
  description: 'A chat owned by one user. Visible to its owner and to services.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Permanent id.' }),
    title: t.exposeString('title', { description: 'Display title; may be empty.' }),
    owner: t.field({
      type: UserType,
      description: 'The user who owns the chat.',
      resolve: async (chat, _args, { loaders }) => {
        const owner = await loaders.userById.load(chat.ownerId);
        if (owner === null) throw notFound('user');
        return owner;
      },
    }),
    mcpServerIds: t.field({
      type: ['UUID'],
      description: 'Ids of the servers selected for the chat. `mcpServers` has those that actually apply.',
      resolve: (chat) => chat.mcpServerIds,
    }),
    mcpServers: t.field({
      type: [ChatMcpServerType],
      description:
        'The servers that apply in the chat now: the selected and the forced ones, without the disabled ones.',
      resolve: async (chat, _args, { loaders, budget }) => {
        const toServers = await loaders.chatServers.load(chat);
        await budget.turn();
        return budget.refusal === undefined ? toServers() : [];
      },
    }),
    availableMcpServers: t.field({
      type: [AvailableMcpServerType],
      description:
        'All servers that the viewer may see, sorted by display name: those that apply in the chat, and those that could be selected.',
      resolve: async (chat, _args, { loaders, budget }) => {
        const toServers = await loaders.availableServers.load(chat);
        await budget.turn();
        return budget.refusal === undefined ? toServers() : [];
      },
    }),
    messages: t.field({
      type: ChatMessageConnection,
      description: 'The messages of the chat, oldest first.',
      args: { ...pageArgs, ...endArgs },
      resolve: async (chat, args, context) => {
        const { loaders } = context;
        const { from, size, cursor } = takePage(args, context);
        const beyond = cursor === undefined ? undefined : decodeTimeCursor(context, MESSAGE_CURSOR_KIND, cursor);
        const page = await loaders.messagePage.load({ chat, place: { from, size, beyond } });
        return toConnection(
          page,
          (message) => encodeTimeCursor(context, MESSAGE_CURSOR_KIND, message),
          () => loaders.messageCount.load(chat),
          { from, cursor },
        );
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the chat was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the chat last changed.' }),
  }),
});
