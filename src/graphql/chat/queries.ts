import { builder } from '../builder.ts';
import { pageArgs, takeFirst, toConnection } from '../pagination.ts';
import { decodeTimeCursor, encodeTimeCursor } from '../time-cursor.ts';
import { ChatType } from './type.ts';

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
    resolve: (_root, { id }, { viewer, services }) => services.chats.find(viewer, id),
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
