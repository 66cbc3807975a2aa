import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { builder } from '../builder.ts';
import { takeInput, USE_INPUT } from '../mutation-shape/mutation-input.ts';
import { ApiTokenScopeEnum, ApiTokenType } from './type.ts';

const CreateApiTokenInput = builder.inputType('CreateApiTokenInput', {
  description: 'The API token to create.',
  fields: (t) => ({
    userId: t.field({
      type: 'UUID',
      required: false,
      description:
        'The user the token belongs to: by default the viewer, and only admins can name others. It grants what that user may do, within its scopes.',
    }),
    name: t.string({ required: true, description: 'A name to recognise the token by, 1 to 120 characters.' }),
    scopes: t.field({
      type: [ApiTokenScopeEnum],
      required: false,
      description: 'What the token can be used for. Default: everything, or MCP when `mcpServerIds` is given.',
    }),
    mcpServerIds: t.field({
      type: ['UUID'],
      required: false,
      description: `Ids of the only servers whose tools the token can use, 1 to ${CREDENTIAL_LIMITS.tokenServers.value}. Default: no limit. The only scope is then MCP.`,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      required: false,
      description:
        'When the token expires. Without a value it never expires. A token cannot make one for its own user that outlives it.',
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

const RevokeApiTokenInput = builder.inputType('RevokeApiTokenInput', {
  description: 'The API token to revoke.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'Id of the token.' }) }),
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
    description: 'Creates an API token. Everybody can create their own, and admins those of all users.',
    args: { input: t.arg({ type: CreateApiTokenInput, required: true, description: 'The token to create.' }) },
    resolve: async (_root, { input }, { viewer, services }) => {
      const { token, apiToken } = await services.apiTokens.create(viewer, input);
      return { token: token.expose(), apiToken };
    },
  }),

  revokeApiToken: t.field({
    type: RevokeApiTokenPayload,
    description:
      "Revokes an API token and ends the sessions opened with it, immediately. Everybody can revoke their own, and admins anybody's.",
    args: {
      input: t.arg({ type: RevokeApiTokenInput, required: false, description: 'The token. Required.' }),
      id: t.arg({ type: 'UUID', required: false, description: 'Id of the token.', deprecationReason: USE_INPUT }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { id } = takeInput(input, former, ['id']);
      return { apiToken: await services.apiTokens.revoke(viewer, id) };
    },
  }),
}));
