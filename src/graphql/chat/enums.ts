import { builder } from '../builder.ts';

/** `ChatMcpServerSource` */
export const ChatMcpServerSourceEnum = builder.enumType('ChatMcpServerSource', {
  description: 'Why a server applies in a chat.',
  values: {
    FORCED: { value: 'forced', description: 'An admin forces the server into every chat (FORCE_ON).' },
    SELECTED: { value: 'selected', description: 'The server was selected for this chat.' },
  } as const,
});
