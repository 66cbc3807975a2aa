import type { UserRecord } from '../../data/records.ts';
import { ApiTokenType } from '../api-token/type.ts';
import { builder, visibleWith } from '../builder.ts';

/** `Role` */
export const RoleEnum = builder.enumType('Role', {
  description: 'What a user may do.',
  values: {
    ADMIN: { value: 'admin', description: 'Everything.' },
    AUDITOR: { value: 'auditor', description: 'Reads everything but secrets, changes nothing.' },
    SERVICE: {
      value: 'service',
      description: 'A program that acts for users, such as the chat daemon; changes nothing.',
    },
    MEMBER: { value: 'member', description: 'Sees enabled servers and manages his own chats and connections.' },
  } as const,
});

/** `UserStatus` */
export const UserStatusEnum = builder.enumType('UserStatus', {
  description: 'Whether a user may come in.',
  values: {
    ACTIVE: { value: 'active', description: 'He may.' },
    SUSPENDED: { value: 'suspended', description: 'He is nobody, whatever credentials he holds.' },
  } as const,
});

/** `User` */
export const UserType = builder.objectRef<UserRecord>('User');

UserType.implement({
  description: 'A person or a service that may call the gateway.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Identity, for ever.' }),
    email: t.exposeString('email', { description: 'Address; unique without regard to case.' }),
    role: t.expose('role', { type: RoleEnum, description: 'What the user may do.' }),
    status: t.expose('status', { type: UserStatusEnum, description: 'Whether the user may come in.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the user was made.' }),
    apiTokens: t.field({
      type: [ApiTokenType],
      ...visibleWith('apiToken.list'),
      description: "The user's API tokens, oldest first. For admins and auditors; null for the others.",
      resolve: (user, _args, { loaders }) => loaders.apiTokensByUserId.load(user.id),
    }),
  }),
});
