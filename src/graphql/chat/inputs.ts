import { builder } from '../builder.ts';

/** `CreateChatInput` */
export const CreateChatInput = builder.inputType('CreateChatInput', {
  description: 'A new chat.',
  fields: (t) => ({
    title: t.string({ required: false, description: 'Name for people, at most 200 characters. Default: empty.' }),
    mcpServerIds: t.field({
      type: ['UUID'],
      required: false,
      description: 'The servers chosen for it. Default: those that are on by default; an empty list is none.',
    }),
  }),
});

/** `CreateChatMessageInput` */
export const CreateChatMessageInput = builder.inputType('CreateChatMessageInput', {
  description: 'A new message of an own chat.',
  fields: (t) => ({
    chatId: t.field({ type: 'UUID', required: true, description: 'The chat.' }),
    content: t.string({ required: true, description: '1 to 65,536 characters.' }),
    mcpServerIds: t.field({
      type: ['UUID'],
      required: false,
      description: 'The servers that the chat has from now on. Absent: it keeps those that it has. Empty: none.',
    }),
  }),
});
