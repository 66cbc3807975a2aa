import { builder } from '../builder.ts';
import './config-fields.ts';
import { EffectiveMcpToolType } from './effective-tool.ts';

builder.queryFields((t) => ({
  effectiveMcpTools: t.field({
    type: [EffectiveMcpToolType],
    description:
      'The tools that a user can use now, sorted by slug and name: in a chat, or without one those of the servers that are FORCE_ON or DEFAULT_ON. Members can ask only about themselves; admins, auditors and services about any user.',
    args: {
      chatId: t.arg({ type: 'UUID', required: false, description: 'In this chat. Absent: without a chat.' }),
      userId: t.arg({
        type: 'UUID',
        required: false,
        description: "For this user. Absent: for the chat's owner, or without a chat for the viewer.",
      }),
    },
    resolve: (_root, args, { viewer, services }) =>
      services.effectiveTools.list(viewer, { chatId: args.chatId ?? undefined, userId: args.userId ?? undefined }),
  }),
}));
