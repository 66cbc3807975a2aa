import { builder } from '../builder.ts';
import { McpServerConfigImpactType, McpServerExplanationType } from './type.ts';

builder.queryFields((t) => ({
  explainMcpServer: t.field({
    type: McpServerExplanationType,
    description:
      'Why a server, or a tool of it, can be used, or not. Members ask about themselves; staff about any user.',
    args: {
      configId: t.arg({ type: 'UUID', required: true, description: 'The server.' }),
      chatId: t.arg({ type: 'UUID', required: false, description: 'In this chat; absent: in general.' }),
      userId: t.arg({
        type: 'UUID',
        required: false,
        description: "For this user; absent: the chat's owner, or without a chat the viewer.",
      }),
      tool: t.arg.string({ required: false, description: 'This tool, by its name at the server.' }),
    },
    resolve: (_root, args, { viewer, services }) =>
      services.explanations.explain(viewer, {
        configId: args.configId,
        chatId: args.chatId ?? undefined,
        userId: args.userId ?? undefined,
        tool: args.tool ?? undefined,
      }),
  }),

  mcpServerConfigImpact: t.field({
    type: McpServerConfigImpactType,
    description: 'What switching a config off or deleting it would do. For admins and auditors.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'The config.' }) },
    resolve: (_root, { id }, { viewer, services }) => services.impacts.find(viewer, id),
  }),
}));
