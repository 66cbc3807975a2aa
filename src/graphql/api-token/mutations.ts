import { builder } from '../builder.ts';
import { ApiTokenType } from './type.ts';

const CreateApiTokenInput = builder.inputType('CreateApiTokenInput', {
  description: 'A new API token.',
  fields: (t) => ({
    userId: t.field({ type: 'UUID', required: true, description: 'Whose it is: it may what he may.' }),
    name: t.string({ required: true, description: 'A name to know it by, 1 to 120 characters.' }),
    expiresAt: t.field({ type: 'DateTime', required: false, description: 'When it ends; never, when absent.' }),
  }),
});

const CreateApiTokenPayload = builder.simpleObject('CreateApiTokenPayload', {
  description: 'A token that was made.',
  fields: (t) => ({
    token: t.string({ description: 'The token. It cannot be shown again.' }),
    apiToken: t.field({ type: ApiTokenType, description: 'What is kept about it.' }),
  }),
});

const RevokeApiTokenPayload = builder.simpleObject('RevokeApiTokenPayload', {
  description: 'A token that was revoked.',
  fields: (t) => ({ apiToken: t.field({ type: ApiTokenType, description: 'The token, with the time.' }) }),
});

builder.mutationFields((t) => ({
  createApiToken: t.field({
    type: CreateApiTokenPayload,
    description: 'Makes an API token for a user. For admins.',
    args: { input: t.arg({ type: CreateApiTokenInput, required: true, description: 'The new token.' }) },
    resolve: async (_root, { input }, { viewer, services }) => {
      const { token, apiToken } = await services.apiTokens.create(viewer, input);
      return { token: token.expose(), apiToken };
    },
  }),

  revokeApiToken: t.field({
    type: RevokeApiTokenPayload,
    description: 'Ends an API token and the sessions opened with it, at once. For admins.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Which one.' }) },
    resolve: async (_root, { id }, { viewer, services }) => ({ apiToken: await services.apiTokens.revoke(viewer, id) }),
  }),
}));
