import { builder } from '../builder.ts';
import { CreateChatInput, CreateChatMessageInput } from './inputs.ts';
import { ChatMessageType, ChatType } from './type.ts';

builder.mutationFields((t) => ({
  createChat: t.field({
    type: ChatType,
    description: 'Begins a chat of the viewer.',
    args: { input: t.arg({ type: CreateChatInput, required: true, description: 'The new chat.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.chats.create(viewer, input),
  }),

  createChatMessage: t.field({
    type: ChatMessageType,
    description: "Adds a message to one of the viewer's chats, and may choose other servers for it.",
    args: { input: t.arg({ type: CreateChatMessageInput, required: true, description: 'The new message.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.chats.createMessage(viewer, input),
  }),
}));
