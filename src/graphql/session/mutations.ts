import { builder } from '../builder.ts';

const EndSessionInput = builder.inputType('EndSessionInput', {
  description: 'The session to end.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'Id of the session.' }) }),
});

const EndSessionPayload = builder.simpleObject('EndSessionPayload', {
  description: 'The ended session.',
  fields: (t) => ({ endedId: t.field({ type: 'UUID', description: 'Id of the ended session.' }) }),
});

const CreateSignInLinkInput = builder.inputType('CreateSignInLinkInput', {
  description: 'Whom to sign in.',
  fields: (t) => ({ userId: t.field({ type: 'UUID', required: true, description: 'Id of the user.' }) }),
});

const CreateSignInLinkPayload = builder.simpleObject('CreateSignInLinkPayload', {
  description: 'The created link.',
  fields: (t) => ({
    url: t.string({
      description: 'The link. It is shown only this once, and whoever opens it is signed in as the user.',
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'When the link can no longer be used.' }),
  }),
});

builder.mutationFields((t) => ({
  createSignInLink: t.field({
    type: CreateSignInLinkPayload,
    description:
      "Creates a link that signs a user in with a browser, once, within an hour. It replaces the user's earlier links. Tokens that are limited to some scopes cannot create one. For admins.",
    args: { input: t.arg({ type: CreateSignInLinkInput, required: true, description: 'Whom to sign in.' }) },
    resolve: async (_root, { input }, { viewer, services }) => {
      const { url, expiresAt } = await services.signInLinks.create(viewer, input.userId);
      return { url: url.expose(), expiresAt };
    },
  }),

  endSession: t.field({
    type: EndSessionPayload,
    description: "Signs a browser out, immediately. Everybody can end their own sessions, and admins anybody's.",
    args: { input: t.arg({ type: EndSessionInput, required: true, description: 'The session to end.' }) },
    resolve: async (_root, { input }, { viewer, services }) => {
      await services.sessions.endById(viewer, input.id);
      return { endedId: input.id };
    },
  }),
}));
