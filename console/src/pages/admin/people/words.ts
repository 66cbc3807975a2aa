import type { Role, UserStatus } from '../generated/graphql.ts';

/** Roles, in words. */
export const ROLE_TEXT: Readonly<Record<Role, string>> = {
  ADMIN: 'Admin',
  AUDITOR: 'Auditor',
  MEMBER: 'Member',
  SERVICE: 'Service',
};

/** What that means. */
export const ROLE_MEANING: Readonly<Record<Role, string>> = {
  ADMIN: 'Manages servers, people and keys.',
  AUDITOR: 'Sees everything but secrets, and changes nothing.',
  MEMBER: 'Uses servers in their own chats.',
  SERVICE: 'A program that acts for users.',
};

/** Whether a user may sign in, in words. */
export const STATUS_TEXT: Readonly<Record<UserStatus, string>> = { ACTIVE: 'Active', SUSPENDED: 'Suspended' };
