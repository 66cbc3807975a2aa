import { builder } from '../builder.ts';
import { RoleEnum, UserStatusEnum, UserType } from './type.ts';

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A new user.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'Address; unique without regard to case.' }),
    role: t.field({ type: RoleEnum, required: false, description: 'Default: MEMBER.' }),
    status: t.field({ type: UserStatusEnum, required: false, description: 'Default: ACTIVE.' }),
  }),
});

const UpdateUserInput = builder.inputType('UpdateUserInput', {
  description: 'Changes to a user: an absent field stays.',
  fields: (t) => ({
    email: t.string({ required: false, description: 'Address; unique without regard to case.' }),
    role: t.field({ type: RoleEnum, required: false, description: 'What the user may do.' }),
    status: t.field({ type: UserStatusEnum, required: false, description: 'SUSPENDED makes him nobody at once.' }),
  }),
});

const DeleteUserPayload = builder.simpleObject('DeleteUserPayload', {
  description: 'What a deletion did.',
  fields: (t) => ({ deletedId: t.field({ type: 'UUID', description: 'The user that is gone.' }) }),
});

builder.mutationFields((t) => ({
  createUser: t.field({
    type: UserType,
    description: 'Makes a user. For admins.',
    args: { input: t.arg({ type: CreateUserInput, required: true, description: 'The new user.' }) },
    resolve: (_root, { input }, { viewer, services }) =>
      services.users.create(viewer, {
        email: input.email,
        role: input.role ?? undefined,
        status: input.status ?? undefined,
      }),
  }),

  updateUser: t.field({
    type: UserType,
    description: 'Changes a user. The last active admin stays one. For admins.',
    args: {
      id: t.arg({ type: 'UUID', required: true, description: 'Which one.' }),
      patch: t.arg({ type: UpdateUserInput, required: true, description: 'What to change.' }),
    },
    resolve: (_root, { id, patch }, { viewer, services }) => services.users.update(viewer, { id, patch }),
  }),

  deleteUser: t.field({
    type: DeleteUserPayload,
    description: 'Deletes a user with tokens, sessions, chats and connections. For admins.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Which one.' }) },
    resolve: async (_root, { id }, { viewer, services }) => {
      await services.users.delete(viewer, id);
      return { deletedId: id };
    },
  }),
}));
