import type { ChatRecord, FullMessageRecord } from '../../data/records.ts';
import { builder } from '../builder.ts';
import { formerResult } from '../mutation-shape/former-fields.ts';
import { CreateChatInput, CreateChatMessageInput, DeleteChatInput, UpdateChatInput } from './inputs.ts';
import { ChatMessageType, ChatType } from './type.ts';

const CreateChatPayload = builder.objectRef<{ chat: ChatRecord }>('CreateChatPayload').implement({
  description: 'The created chat.',
  fields: (t) => ({
    chat: t.expose('chat', { type: ChatType, description: 'The new chat.', ...formerResult }),
  }),
});

const CreateChatMessagePayload = builder
  .objectRef<{ chatMessage: FullMessageRecord }>('CreateChatMessagePayload')
  .implement({
    description: 'The added message.',
    fields: (t) => ({
      chatMessage: t.expose('chatMessage', {
        type: ChatMessageType,
        description: 'The new message.',
        ...formerResult,
      }),
      chat: t.field({
        type: ChatType,
        nullable: true,
        description: 'The chat after the change; null if it was deleted in the meantime.',
        resolve: ({ chatMessage }, _args, { viewer, services }) => services.chats.find(viewer, chatMessage.chatId),
      }),
    }),
  });

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
    type: CreateChatPayload,
    description: 'Creates a chat owned by the viewer.',
    args: { input: t.arg({ type: CreateChatInput, required: true, description: 'The chat to create.' }) },
    resolve: async (_root, { input }, { viewer, services }) => ({ chat: await services.chats.create(viewer, input) }),
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
    type: CreateChatMessagePayload,
    description:
      "Adds a message to one of the viewer's chats. Can also change which servers are selected for the chat.",
    args: { input: t.arg({ type: CreateChatMessageInput, required: true, description: 'The message to add.' }) },
    resolve: async (_root, { input }, { viewer, services }) => ({
      chatMessage: await services.chats.createMessage(viewer, input),
    }),
  }),
}));
