import { builder } from '../builder.ts';

/** `ChatMcpServerSource` */
export const ChatMcpServerSourceEnum = builder.enumType('ChatMcpServerSource', {
  description: 'Why a server is in a chat.',
  values: {
    FORCED: { value: 'forced', description: 'An admin has it in every chat.' },
    SELECTED: { value: 'selected', description: 'It was chosen for the chat.' },
  } as const,
});
