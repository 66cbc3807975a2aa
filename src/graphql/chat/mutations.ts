import { builder } from '../builder.ts';
import { CreateChatInput, CreateChatMessageInput } from './inputs.ts';
import { ChatMessageType, ChatType } from './type.ts';

builder.mutationFields((t) => ({
  createChat: t.field({
    type: ChatType,
    description: 'Creates a chat owned by the viewer.',
    args: { input: t.arg({ type: CreateChatInput, required: true, description: 'The chat to create.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.chats.create(viewer, input),
  }),

  createChatMessage: t.field({
    type: ChatMessageType,
    description:
      "Adds a message to one of the viewer's chats. Can also change which servers are selected for the chat.",
    args: { input: t.arg({ type: CreateChatMessageInput, required: true, description: 'The message to add.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.chats.createMessage(viewer, input),
  }),
}));
