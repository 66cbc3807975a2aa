import { builder } from '../builder.ts';

const EndSessionInput = builder.inputType('EndSessionInput', {
  description: 'The session to end.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'Id of the session.' }) }),
});

const EndSessionPayload = builder.simpleObject('EndSessionPayload', {
  description: 'The ended session.',
  fields: (t) => ({ endedId: t.field({ type: 'UUID', description: 'Id of the ended session.' }) }),
});

builder.mutationFields((t) => ({
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
