import type { UserRecord } from '../../data/records.ts';
import { listActions } from '../../policy/policy.ts';
import { ROLES, type Role } from '../../policy/viewer.ts';
import { ApiTokenType } from '../api-token/type.ts';
import { builder, visibleToOwnerWith } from '../builder.ts';
import { SessionType } from '../session/type.ts';

const ACTIONS = Object.fromEntries(ROLES.map((role) => [role, listActions(role)])) as Record<Role, string[]>;

/** `Role` */
export const RoleEnum = builder.enumType('Role', {
  description: 'What a user may do.',
  values: {
    ADMIN: {
      value: 'admin',
      description:
        'Manages servers, users and keys, and reads the audit log. Secrets are not readable for admins either.',
    },
    AUDITOR: {
      value: 'auditor',
      description: 'Reads configs, users, keys and the audit log, but no secrets. Changes nothing.',
    },
    SERVICE: {
      value: 'service',
      description: 'A program that acts for users, such as a chat daemon. Reads all chats. Changes nothing.',
    },
    MEMBER: { value: 'member', description: 'Sees enabled servers and manages their own chats and connections.' },
  } as const,
});

/** `UserStatus` */
export const UserStatusEnum = builder.enumType('UserStatus', {
  description: 'Whether a user can sign in and call the gateway.',
  values: {
    ACTIVE: { value: 'active', description: 'The user can sign in.' },
    SUSPENDED: { value: 'suspended', description: 'The user is locked out, whatever credentials they hold.' },
  } as const,
});

/** `User` */
export const UserType = builder.objectRef<UserRecord>('User');

UserType.implement({
  description: 'A person or a service with an account at the gateway.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Permanent id of the user.' }),
    email: t.exposeString('email', { description: 'Email address. Unique, ignoring case.' }),
    role: t.expose('role', { type: RoleEnum, description: 'What the user may do.' }),
    status: t.expose('status', { type: UserStatusEnum, description: 'Whether the user can sign in.' }),
    can: t.stringList({
      description:
        'What the user may do, by their role: names such as `mcpServerConfig.update`, sorted. Some are only for what is their own, or enabled. Empty for a suspended user. An API token may be limited further.',
      resolve: ({ role, status }) => (status === 'active' ? ACTIONS[role] : []),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the user was created.' }),
    apiTokens: t.field({
      type: [ApiTokenType],
      ...visibleToOwnerWith('apiToken.list'),
      description:
        "The user's API tokens, oldest first: as many as the quota allows, and those that ended last. For admins, auditors and the user themselves; null for everybody else.",
      resolve: (user, _args, { loaders }) => loaders.apiTokensByUserId.load(user.id),
    }),
    sessions: t.field({
      type: [SessionType],
      ...visibleToOwnerWith('session.list'),
      description:
        "The user's browser sessions that have not ended, newest first: as many as the quota allows. For admins, auditors and the user themselves; null for everybody else.",
      resolve: (user, _args, { loaders }) => loaders.sessionsByUserId.load(user.id),
    }),
  }),
});
