import { builder } from '../builder.ts';
import { McpServerConfigImpactType, McpServerExplanationType } from './type.ts';

builder.queryFields((t) => ({
  explainMcpServer: t.field({
    type: McpServerExplanationType,
    description:
      'Explains why a user can or cannot use a server or one of its tools. Members can ask only about themselves; admins, auditors and services about any user.',
    args: {
      configId: t.arg({ type: 'UUID', required: true, description: 'Id of the server.' }),
      chatId: t.arg({ type: 'UUID', required: false, description: 'Explain for this chat. Absent: in general.' }),
      userId: t.arg({
        type: 'UUID',
        required: false,
        description: "Explain for this user. Absent: for the chat's owner, or without a chat for the viewer.",
      }),
      tool: t.arg.string({
        required: false,
        description: 'Explain for this tool, by its exact name on the server. Absent: for the server as a whole.',
      }),
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
    description: 'What would happen if a config were disabled or deleted. For admins and auditors.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Id of the config.' }) },
    resolve: (_root, { id }, { viewer, services }) => services.impacts.find(viewer, id),
  }),
}));
