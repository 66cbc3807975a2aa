import { builder } from '../builder.ts';

/** `CreateChatInput` */
export const CreateChatInput = builder.inputType('CreateChatInput', {
  description: 'The chat to create.',
  fields: (t) => ({
    title: t.string({ required: false, description: 'Display title, at most 200 characters. Default: empty.' }),
    mcpServerIds: t.field({
      type: ['UUID'],
      required: false,
      description:
        'Ids of the servers to select. Default: all servers that are on by default. An empty list selects none.',
    }),
  }),
});

/** `UpdateChatInput` */
export const UpdateChatInput = builder.inputType('UpdateChatInput', {
  description: "Changes to one of the viewer's own chats. An absent field, and null, leave it as it is.",
  fields: (t) => ({
    id: t.field({ type: 'UUID', required: true, description: 'Id of the chat.' }),
    title: t.string({ required: false, description: 'Display title, at most 200 characters. "" clears it.' }),
    mcpServerIds: t.field({
      type: ['UUID'],
      required: false,
      description: 'Ids of the servers selected for the chat from now on. An empty list selects none.',
    }),
  }),
});

/** `DeleteChatInput` */
export const DeleteChatInput = builder.inputType('DeleteChatInput', {
  description: "The chat to delete, one of the viewer's own.",
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'Id of the chat.' }) }),
});

/** `CreateChatMessageInput` */
export const CreateChatMessageInput = builder.inputType('CreateChatMessageInput', {
  description: "The message to add to one of the viewer's own chats.",
  fields: (t) => ({
    chatId: t.field({ type: 'UUID', required: true, description: 'Id of the chat.' }),
    content: t.string({ required: true, description: 'The text, 1 to 65,536 characters.' }),
    mcpServerIds: t.field({
      type: ['UUID'],
      required: false,
      description:
        'Ids of the servers selected for the chat from now on. Absent: the selection stays. An empty list selects none.',
    }),
  }),
});
