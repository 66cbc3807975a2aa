import { builder } from '../builder.ts';
import { ApiTokenType } from './type.ts';

const CreateApiTokenInput = builder.inputType('CreateApiTokenInput', {
  description: 'The API token to create.',
  fields: (t) => ({
    userId: t.field({
      type: 'UUID',
      required: true,
      description: 'The user the token belongs to. It grants exactly what that user may do.',
    }),
    name: t.string({ required: true, description: 'A name to recognise the token by, 1 to 120 characters.' }),
    expiresAt: t.field({
      type: 'DateTime',
      required: false,
      description: 'When the token expires. Without a value it never expires.',
    }),
  }),
});

const CreateApiTokenPayload = builder.simpleObject('CreateApiTokenPayload', {
  description: 'The created token.',
  fields: (t) => ({
    token: t.string({ description: 'The token itself. It is shown only this once.' }),
    apiToken: t.field({ type: ApiTokenType, description: 'The stored record of the token.' }),
  }),
});

const RevokeApiTokenPayload = builder.simpleObject('RevokeApiTokenPayload', {
  description: 'The revoked token.',
  fields: (t) => ({
    apiToken: t.field({ type: ApiTokenType, description: "The token's record, with `revokedAt` set." }),
  }),
});

builder.mutationFields((t) => ({
  createApiToken: t.field({
    type: CreateApiTokenPayload,
    description: 'Creates an API token for a user. For admins.',
    args: { input: t.arg({ type: CreateApiTokenInput, required: true, description: 'The token to create.' }) },
    resolve: async (_root, { input }, { viewer, services }) => {
      const { token, apiToken } = await services.apiTokens.create(viewer, input);
      return { token: token.expose(), apiToken };
    },
  }),

  revokeApiToken: t.field({
    type: RevokeApiTokenPayload,
    description: 'Revokes an API token and ends the sessions opened with it, immediately. For admins.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Id of the token.' }) },
    resolve: async (_root, { id }, { viewer, services }) => ({ apiToken: await services.apiTokens.revoke(viewer, id) }),
  }),
}));
