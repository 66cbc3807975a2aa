import { builder } from '../builder.ts';
import { pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { decodeTimeCursor, encodeTimeCursor } from '../time-cursor.ts';
import { AvailableMcpServerType, ChatType } from './type.ts';

const CURSOR_KIND = 'chat';

const ChatConnection = builder.connectionObject(
  { type: ChatType, name: 'ChatConnection', description: 'A page of chats.' },
  { name: 'ChatEdge', description: 'A chat and its cursor.' },
);

builder.queryFields((t) => ({
  chat: t.field({
    type: ChatType,
    nullable: true,
    description: 'One chat; null if it does not exist or belongs to another user. Services can read every chat.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Id of the chat.' }) },
    resolve: async (_root, { id }, { viewer, services, chatVersions }) => {
      const chat = await services.chats.find(viewer, id);
      const version = services.chats.versionOf(chat);
      // It has changed between two aliases: no chat is in both versions.
      chatVersions.set(id, (chatVersions.get(id) ?? version) === version ? version : '');
      return chat;
    },
  }),

  availableMcpServers: t.field({
    type: [AvailableMcpServerType],
    description:
      'All servers that the viewer may see, sorted by display name, as they would be in a new chat of theirs that names no servers.',
    resolve: async (_root, _args, { viewer, services, budget }) => {
      const toServers = await services.availableServers.readForNewChat(viewer);
      await budget.turn();
      return budget.refusal === undefined ? toServers() : [];
    },
  }),

  chats: t.field({
    type: ChatConnection,
    description: "The viewer's own chats, newest first.",
    args: pageArgs,
    resolve: async (_root, args, context) => {
      const { viewer, services } = context;
      const page = await services.chats.list(viewer, {
        first: takeFirst(args.first, context),
        after: args.after == null ? undefined : decodeTimeCursor(context, CURSOR_KIND, args.after),
      });
      return toConnection(
        page,
        (chat) => encodeTimeCursor(context, CURSOR_KIND, chat),
        () => services.chats.count(viewer),
      );
    },
  }),
}));
