import { builder } from '../builder.ts';
import { CreateMcpServerConfigInput, toConfigInput, UpdateMcpServerConfigInput } from './inputs.ts';
import { McpServerConfigType } from './type.ts';

const DeleteMcpServerConfigPayload = builder.simpleObject('DeleteMcpServerConfigPayload', {
  description: 'What a deletion did.',
  fields: (t) => ({ deletedId: t.field({ type: 'UUID', description: 'The config that is gone.' }) }),
});

const DisconnectMcpServerPayload = builder.simpleObject('DisconnectMcpServerPayload', {
  description: 'What became of the tokens of a connection. The gateway has none of them any more, whatever this says.',
  fields: (t) => ({
    tokenRevoked: t.boolean({ description: 'Whether the authorization server confirmed that the tokens ended.' }),
    revocationError: t.string({
      nullable: true,
      description: 'Why it did not; null when there was nothing to revoke.',
    }),
  }),
});

const RemoveMcpServerUserTokensPayload = builder.simpleObject('RemoveMcpServerUserTokensPayload', {
  description: 'What a removal of tokens did.',
  fields: (t) => ({ removedCount: t.int({ description: 'How many users were connected and are not any more.' }) }),
});

builder.mutationFields((t) => ({
  createMcpServerConfig: t.field({
    type: McpServerConfigType,
    description: 'Defines an MCP server. For admins.',
    args: { input: t.arg({ type: CreateMcpServerConfigInput, required: true, description: 'The new server.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.configs.create(viewer, toConfigInput(input)),
  }),

  updateMcpServerConfig: t.field({
    type: McpServerConfigType,
    description: 'Changes an MCP server. For admins.',
    args: {
      id: t.arg({ type: 'UUID', required: true, description: 'Which one.' }),
      patch: t.arg({ type: UpdateMcpServerConfigInput, required: true, description: 'What to change.' }),
      expectedVersion: t.arg.int({
        required: false,
        description: 'Refuse with VERSION_MISMATCH unless the config is at this version.',
      }),
    },
    resolve: (_root, { id, patch, expectedVersion }, { viewer, services }) =>
      services.configs.update(viewer, {
        id,
        patch: toConfigInput(patch),
        expectedVersion: expectedVersion ?? undefined,
      }),
  }),

  deleteMcpServerConfig: t.field({
    type: DeleteMcpServerConfigPayload,
    description: 'Deletes an MCP server with all connections to it. For admins.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Which one.' }) },
    resolve: async (_root, { id }, { viewer, services }) => {
      await services.configs.delete(viewer, id);
      return { deletedId: id };
    },
  }),

  disconnectMcpServer: t.field({
    type: DisconnectMcpServerPayload,
    description: "Ends the viewer's own connection to a server. Does nothing where there is none.",
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Which server.' }) },
    resolve: (_root, { id }, { viewer, services }) => services.connections.disconnect(viewer, id),
  }),

  removeMcpServerUserTokens: t.field({
    type: RemoveMcpServerUserTokensPayload,
    description: "Removes one user's tokens at a server, or everybody's. For admins.",
    args: {
      id: t.arg({ type: 'UUID', required: true, description: 'Which server.' }),
      userId: t.arg({ type: 'UUID', required: false, description: 'Whose; all users when absent.' }),
    },
    resolve: async (_root, { id, userId }, { viewer, services }) => ({
      removedCount: await services.connections.removeUserTokens(viewer, { configId: id, userId: userId ?? undefined }),
    }),
  }),
}));
