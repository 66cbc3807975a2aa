import type { UserRecord } from '../../data/records.ts';
import { builder } from '../builder.ts';
import { formerResult } from '../mutation-shape/former-fields.ts';
import { takeInput, USE_INPUT } from '../mutation-shape/mutation-input.ts';
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
    id: t.field({
      type: 'UUID',
      required: false,
      description: 'Id of the user. Required, unless it is given beside the deprecated `patch`.',
    }),
    email: t.string({ required: false, description: 'Email address. Unique, ignoring case.' }),
    role: t.field({ type: RoleEnum, required: false, description: 'What the user may do.' }),
    status: t.field({
      type: UserStatusEnum,
      required: false,
      description: 'Whether the user can sign in. SUSPENDED locks them out immediately.',
    }),
  }),
});

const DeleteUserInput = builder.inputType('DeleteUserInput', {
  description: 'The user to delete.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'Id of the user.' }) }),
});

const CreateUserPayload = builder.objectRef<{ user: UserRecord }>('CreateUserPayload').implement({
  description: 'The created user.',
  fields: (t) => ({ user: t.expose('user', { type: UserType, description: 'The new user.', ...formerResult }) }),
});

const UpdateUserPayload = builder.objectRef<{ user: UserRecord }>('UpdateUserPayload').implement({
  description: 'The changed user.',
  fields: (t) => ({
    user: t.expose('user', { type: UserType, description: 'The user after the change.', ...formerResult }),
  }),
});

const DeleteUserPayload = builder.simpleObject('DeleteUserPayload', {
  description: 'Result of a deletion.',
  fields: (t) => ({ deletedId: t.field({ type: 'UUID', description: 'Id of the deleted user.' }) }),
});

builder.mutationFields((t) => ({
  createUser: t.field({
    type: CreateUserPayload,
    description: 'Creates a user. For admins.',
    args: { input: t.arg({ type: CreateUserInput, required: true, description: 'The user to create.' }) },
    resolve: async (_root, { input: { email, role, status } }, { viewer, services }) => ({
      user: await services.users.create(viewer, { email, role: role ?? undefined, status: status ?? undefined }),
    }),
  }),

  updateUser: t.field({
    type: UpdateUserPayload,
    description: 'Changes a user. The last active admin cannot be demoted or suspended. For admins.',
    args: {
      input: t.arg({ type: UpdateUserInput, required: false, description: 'The changes. Required.' }),
      id: t.arg({ type: 'UUID', required: false, description: 'Id of the user.', deprecationReason: USE_INPUT }),
      patch: t.arg({
        type: UpdateUserInput,
        required: false,
        description: 'The changes.',
        deprecationReason: USE_INPUT,
      }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { id, ...patch } = takeInput(input, former, ['id']);
      return { user: await services.users.update(viewer, { id, patch }) };
    },
  }),

  deleteUser: t.field({
    type: DeleteUserPayload,
    description: 'Deletes a user with their tokens, sessions, chats and connections. For admins.',
    args: {
      input: t.arg({ type: DeleteUserInput, required: false, description: 'The user. Required.' }),
      id: t.arg({ type: 'UUID', required: false, description: 'Id of the user.', deprecationReason: USE_INPUT }),
    },
    resolve: async (_root, { input, ...former }, { viewer, services }) => {
      const { id } = takeInput(input, former, ['id']);
      await services.users.delete(viewer, id);
      return { deletedId: id };
    },
  }),
}));
