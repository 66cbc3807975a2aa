import { builder } from '../builder.ts';
import { CreateChatInput, CreateChatMessageInput, DeleteChatInput, UpdateChatInput } from './inputs.ts';
import { ChatMessageType, ChatType } from './type.ts';

const UpdateChatPayload = builder.simpleObject('UpdateChatPayload', {
  description: 'Result of changing a chat.',
  fields: (t) => ({ chat: t.field({ type: ChatType, description: 'The chat after the change.' }) }),
});

const DeleteChatPayload = builder.simpleObject('DeleteChatPayload', {
  description: 'Result of deleting a chat.',
  fields: (t) => ({ deletedId: t.field({ type: 'UUID', description: 'Id of the deleted chat.' }) }),
});

builder.mutationFields((t) => ({
  createChat: t.field({
    type: ChatType,
    description: 'Creates a chat owned by the viewer.',
    args: { input: t.arg({ type: CreateChatInput, required: true, description: 'The chat to create.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.chats.create(viewer, input),
  }),

  updateChat: t.field({
    type: UpdateChatPayload,
    description: "Changes the title or the selected servers of one of the viewer's chats.",
    args: { input: t.arg({ type: UpdateChatInput, required: true, description: 'The changes.' }) },
    resolve: async (_root, { input }, { viewer, services }) => ({ chat: await services.chats.update(viewer, input) }),
  }),

  deleteChat: t.field({
    type: DeleteChatPayload,
    description: "Deletes one of the viewer's chats with its messages.",
    args: { input: t.arg({ type: DeleteChatInput, required: true, description: 'The chat to delete.' }) },
    resolve: async (_root, { input }, { viewer, services }) => {
      await services.chats.delete(viewer, input.id);
      return { deletedId: input.id };
    },
  }),

  createChatMessage: t.field({
    type: ChatMessageType,
    description:
      "Adds a message to one of the viewer's chats. Can also change which servers are selected for the chat.",
    args: { input: t.arg({ type: CreateChatMessageInput, required: true, description: 'The message to add.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.chats.createMessage(viewer, input),
  }),
}));
