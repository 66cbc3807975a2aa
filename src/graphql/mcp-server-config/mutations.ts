import { builder } from '../builder.ts';
import { CreateMcpServerConfigInput, toConfigInput, UpdateMcpServerConfigInput } from './inputs.ts';
import { McpServerConfigType } from './type.ts';

const DeleteMcpServerConfigPayload = builder.simpleObject('DeleteMcpServerConfigPayload', {
  description: 'Result of a deletion.',
  fields: (t) => ({ deletedId: t.field({ type: 'UUID', description: 'Id of the deleted config.' }) }),
});

const DisconnectMcpServerPayload = builder.simpleObject('DisconnectMcpServerPayload', {
  description: 'Whether the authorization server revoked the tokens. The gateway deletes its own copies in any case.',
  fields: (t) => ({
    tokenRevoked: t.boolean({ description: 'Whether the authorization server confirmed the revocation.' }),
    revocationError: t.string({
      nullable: true,
      description: 'Why it did not confirm; null if it did, or if there was nothing to revoke.',
    }),
  }),
});

const RemoveMcpServerUserTokensPayload = builder.simpleObject('RemoveMcpServerUserTokensPayload', {
  description: 'Result of removing tokens.',
  fields: (t) => ({ removedCount: t.int({ description: 'Number of users who were disconnected.' }) }),
});

builder.mutationFields((t) => ({
  createMcpServerConfig: t.field({
    type: McpServerConfigType,
    description: 'Defines an MCP server. For admins.',
    args: { input: t.arg({ type: CreateMcpServerConfigInput, required: true, description: 'The server to define.' }) },
    resolve: (_root, { input }, { viewer, services }) => services.configs.create(viewer, toConfigInput(input)),
  }),

  updateMcpServerConfig: t.field({
    type: McpServerConfigType,
    description: 'Changes an MCP server. For admins.',
    args: {
      id: t.arg({ type: 'UUID', required: true, description: 'Id of the config.' }),
      patch: t.arg({ type: UpdateMcpServerConfigInput, required: true, description: 'The changes.' }),
      expectedVersion: t.arg.int({
        required: false,
        description: 'Fail with VERSION_MISMATCH unless the config is at this version.',
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
    description: 'Deletes an MCP server and all connections to it. For admins.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Id of the config.' }) },
    resolve: async (_root, { id }, { viewer, services }) => {
      await services.configs.delete(viewer, id);
      return { deletedId: id };
    },
  }),

  disconnectMcpServer: t.field({
    type: DisconnectMcpServerPayload,
    description: "Ends the viewer's own connection to a server. Does nothing if there is none.",
    args: { id: t.arg({ type: 'UUID', required: true, description: "Id of the server's config." }) },
    resolve: (_root, { id }, { viewer, services }) => services.connections.disconnect(viewer, id),
  }),

  removeMcpServerUserTokens: t.field({
    type: RemoveMcpServerUserTokensPayload,
    description: 'Removes the tokens of one user, or of all users, for a server. For admins.',
    args: {
      id: t.arg({ type: 'UUID', required: true, description: "Id of the server's config." }),
      userId: t.arg({
        type: 'UUID',
        required: false,
        description: "Only this user's tokens. Absent: those of all users.",
      }),
    },
    resolve: async (_root, { id, userId }, { viewer, services }) => ({
      removedCount: await services.connections.removeUserTokens(viewer, { configId: id, userId: userId ?? undefined }),
    }),
  }),
}));
