import { builder } from '../builder.ts';
import { RoleEnum, UserStatusEnum, UserType } from './type.ts';

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'The user to create.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'Email address. Unique, ignoring case.' }),
    role: t.field({ type: RoleEnum, required: false, description: 'What the user may do. Default: MEMBER.' }),
    status: t.field({
      type: UserStatusEnum,
      required: false,
      description: 'Whether the user can sign in. Default: ACTIVE.',
    }),
  }),
});

const UpdateUserInput = builder.inputType('UpdateUserInput', {
  description: 'Changes to a user. An absent field stays as it is.',
  fields: (t) => ({
    email: t.string({ required: false, description: 'Email address. Unique, ignoring case.' }),
    role: t.field({ type: RoleEnum, required: false, description: 'What the user may do.' }),
    status: t.field({
      type: UserStatusEnum,
      required: false,
      description: 'Whether the user can sign in. SUSPENDED locks them out immediately.',
    }),
  }),
});

const DeleteUserPayload = builder.simpleObject('DeleteUserPayload', {
  description: 'Result of a deletion.',
  fields: (t) => ({ deletedId: t.field({ type: 'UUID', description: 'Id of the deleted user.' }) }),
});

builder.mutationFields((t) => ({
  createUser: t.field({
    type: UserType,
    description: 'Creates a user. For admins.',
    args: { input: t.arg({ type: CreateUserInput, required: true, description: 'The user to create.' }) },
    resolve: (_root, { input }, { viewer, services }) =>
      services.users.create(viewer, {
        email: input.email,
        role: input.role ?? undefined,
        status: input.status ?? undefined,
      }),
  }),

  updateUser: t.field({
    type: UserType,
    description: 'Changes a user. The last active admin cannot be demoted or suspended. For admins.',
    args: {
      id: t.arg({ type: 'UUID', required: true, description: 'Id of the user.' }),
      patch: t.arg({ type: UpdateUserInput, required: true, description: 'The changes.' }),
    },
    resolve: (_root, { id, patch }, { viewer, services }) => services.users.update(viewer, { id, patch }),
  }),

  deleteUser: t.field({
    type: DeleteUserPayload,
    description: 'Deletes a user with their tokens, sessions, chats and connections. For admins.',
    args: { id: t.arg({ type: 'UUID', required: true, description: 'Id of the user.' }) },
    resolve: async (_root, { id }, { viewer, services }) => {
      await services.users.delete(viewer, id);
      return { deletedId: id };
    },
  }),
}));
