import { builder } from '../builder.ts';
import { addFeedCursor } from '../mutation-shape/feed-cursor.ts';
import { takeInput, USE_INPUT } from '../mutation-shape/mutation-input.ts';
import {
  CreateMcpServerConfigInput,
  DeleteMcpServerConfigInput,
  DisconnectMcpServerInput,
  RemoveMcpServerUserTokensInput,
  RestoreMcpServerConfigVersionInput,
  toConfigInput,
  UpdateMcpServerConfigInput,
} from './inputs.ts';
import {
  CreateMcpServerConfigPayload,
  DeleteMcpServerConfigPayload,
  DisconnectMcpServerPayload,
  RemoveMcpServerUserTokensPayload,
  RestoreMcpServerConfigVersionPayload,
  UpdateMcpServerConfigPayload,
} from './payloads.ts';

for (const payload of [
  CreateMcpServerConfigPayload,
  UpdateMcpServerConfigPayload,
  RestoreMcpServerConfigVersionPayload,
  DeleteMcpServerConfigPayload,
  DisconnectMcpServerPayload,
  RemoveMcpServerUserTokensPayload,
]) {
  addFeedCursor(payload);
}

builder.mutationFields((t) => ({
  createMcpServerConfig: t.field({
    type: CreateMcpServerConfigPayload,
    description: 'Defines an MCP server. For admins.',
    args: { input: t.arg({ type: CreateMcpServerConfigInput, required: true, description: 'The server to define.' }) },
    resolve: async (_root, { input }, { viewer, services }) => ({
      mcpServerConfig: await services.configs.create(viewer, toConfigInput(input)),
    }),
  }),

  updateMcpServerConfig: t.field({
    type: UpdateMcpServerConfigPayload,
    description: 'Changes an MCP server. For admins.',
    args: {
      input: t.arg({ type: UpdateMcpServerConfigInput, required: false, description: 'The changes. Required.' }),
      id: t.arg({ type: 'UUID', required: false, description: 'Id of the config.', deprecationReason: USE_INPUT }),
      patch: t.arg({
        type: UpdateMcpServerConfigInput,
        required: false,
        description: 'The changes.',
        deprecationReason: USE_INPUT,
      }),
      expectedVersion: t.arg.int({
        required: false,
        description: 'Fail with VERSION_MISMATCH unless the config is at this version.',
        deprecationReason: USE_INPUT,
      }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { id, expectedVersion, ...changes } = takeInput(input, former, ['id']);
      const patch = toConfigInput(changes);
      const update = { id, patch, expectedVersion: expectedVersion ?? undefined };
      return { mcpServerConfig: await services.configs.update(viewer, update) };
    },
  }),

  restoreMcpServerConfigVersion: t.field({
    type: RestoreMcpServerConfigVersionPayload,
    description:
      'Changes an MCP server to what it was at an earlier version, under the rules of `updateMcpServerConfig`. Secrets are not restored, and a server that is switched off stays off. For admins.',
    args: {
      input: t.arg({
        type: RestoreMcpServerConfigVersionInput,
        required: true,
        description: 'The version to restore.',
      }),
    },
    resolve: (_root, { input: { id, version, expectedVersion } }, { viewer, services }) =>
      services.configRestore.restore(viewer, { id, version, expectedVersion: expectedVersion ?? undefined }),
  }),

  deleteMcpServerConfig: t.field({
    type: DeleteMcpServerConfigPayload,
    description: 'Deletes an MCP server and all connections to it. For admins.',
    args: {
      input: t.arg({ type: DeleteMcpServerConfigInput, required: false, description: 'The config. Required.' }),
      id: t.arg({ type: 'UUID', required: false, description: 'Id of the config.', deprecationReason: USE_INPUT }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { id } = takeInput(input, former, ['id']);
      await services.configs.delete(viewer, id);
      return { deletedId: id };
    },
  }),

  disconnectMcpServer: t.field({
    type: DisconnectMcpServerPayload,
    description: "Ends the viewer's own connection to a server. Does nothing if there is none.",
    args: {
      input: t.arg({ type: DisconnectMcpServerInput, required: false, description: 'The server. Required.' }),
      id: t.arg({
        type: 'UUID',
        required: false,
        description: "Id of the server's config.",
        deprecationReason: USE_INPUT,
      }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { id } = takeInput(input, former, ['id']);
      const ended = await services.connections.disconnect(viewer, id);
      return { ...ended, configId: id };
    },
  }),

  removeMcpServerUserTokens: t.field({
    type: RemoveMcpServerUserTokensPayload,
    description: 'Removes the tokens of one user, or of all users, for a server. For admins.',
    args: {
      input: t.arg({ type: RemoveMcpServerUserTokensInput, required: false, description: 'Which tokens. Required.' }),
      id: t.arg({
        type: 'UUID',
        required: false,
        description: "Id of the server's config.",
        deprecationReason: USE_INPUT,
      }),
      userId: t.arg({
        type: 'UUID',
        required: false,
        description: "Only this user's tokens. Absent: those of all users.",
        deprecationReason: USE_INPUT,
      }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { id, userId } = takeInput(input, former, ['id']);
      const removal = { configId: id, userId: userId ?? undefined };
      return { removedCount: await services.connections.removeUserTokens(viewer, removal), configId: id };
    },
  }),
}));
