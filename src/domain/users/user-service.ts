import { describeUniqueViolation } from '../../data/database/database-error.ts';
import { type Page, USER_STATUSES, type UserRecord, type UserStatus } from '../../data/records.ts';
import type { UserColumns, UserCursor, UserFilter, UserOrder } from '../../data/repositories/user-repository.ts';
import type { Store } from '../../data/store.ts';
import { conflict, notFound, unauthenticated, validationFailed } from '../../errors.ts';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import { assertCan } from '../../policy/policy.ts';
import { ROLES, type Role, SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { ConnectionEndings } from '../connections/connection-endings.ts';
import { BOOTSTRAP_ADMIN_ID } from '../credentials/bootstrap-admin.ts';
import { Issues } from '../validation/issues.ts';
import { checkName, isStorable, trimmed } from '../validation/text.ts';

/** An admin's input for a user. An absent field is unchanged, null is refused. */
export interface UserInput {
  email?: string | null | undefined;
  role?: Role | null | undefined;
  status?: UserStatus | null | undefined;
}

const MAX_EMAIL = FIELD_LIMITS.email.value;

/**
 * Creates the service for users and their roles. In addition to the policy it ensures that an active admin always
 * remains.
 */
export function createUserService(options: { store: Store; endings: ConnectionEndings; now: () => Date }) {
  const { store, endings, now } = options;
  return {
    /** The calling user. @throws UNAUTHENTICATED */
    async viewer(viewer: Viewer): Promise<UserRecord> {
      assertCan(viewer, 'viewer.read');
      if (viewer.kind !== 'user') throw unauthenticated();
      const [user] = await store.users.findByIds(viewer, { ids: [viewer.userId] });
      if (user === undefined) throw unauthenticated();
      return user;
    },

    async list(
      viewer: Viewer,
      args: {
        first: number;
        after?: UserCursor | undefined;
        filter?: UserFilter | undefined;
        order?: UserOrder | undefined;
      },
    ): Promise<Page<UserRecord>> {
      assertCan(viewer, 'user.list');
      return isUnfindable(args.filter) ? { rows: [], hasMore: false } : store.users.list(viewer, args);
    },

    async count(viewer: Viewer, filter?: UserFilter): Promise<number> {
      assertCan(viewer, 'user.list');
      return isUnfindable(filter) ? 0 : store.users.count(viewer, { filter });
    },

    /** A user that the viewer may see. Null both when there is none and when they may not. */
    async find(viewer: Viewer, id: string): Promise<UserRecord | null> {
      assertCan(viewer, 'user.read');
      const [user] = await store.users.findByIds(viewer, { ids: [id.toLowerCase()] });
      return user ?? null;
    },

    /** The existing users among these ids that the viewer may see. */
    async findByIds(viewer: Viewer, ids: readonly string[]): Promise<UserRecord[]> {
      return store.users.findByIds(viewer, { ids });
    },

    /** @throws FORBIDDEN, VALIDATION_FAILED, CONFLICT when the address is taken */
    async create(viewer: Viewer, input: UserInput): Promise<UserRecord> {
      assertCan(viewer, 'user.create');
      const columns: UserColumns = { email: '', role: 'member', status: 'active', ...toColumns(input) };
      if (input.email == null)
        throw validationFailed([{ path: ['email'], code: 'REQUIRED', message: 'Enter an email address.' }]);
      return withEmailConflict(() =>
        store.transaction(async (tx) => {
          const user = await tx.users.create(viewer, { columns });
          const changes = Object.entries(columns).map(([field, after]) => ({ field, before: null, after }));
          await tx.audit.append(SYSTEM, { actor: viewer, action: 'user.create', target: toTarget(user), changes });
          return user;
        }),
      );
    },

    /** @throws FORBIDDEN, NOT_FOUND, VALIDATION_FAILED (also for the last active admin), CONFLICT */
    async update(viewer: Viewer, args: { id: string; patch: UserInput }): Promise<UserRecord> {
      assertCan(viewer, 'user.update');
      const columns = toColumns(args.patch);
      return withEmailConflict(() =>
        store.transaction(async (tx) => {
          const { user, otherActiveAdmins } = await tx.users.lockWithAdmins(viewer, { id: args.id });
          if (user === null) throw notFound('user');
          const after = { ...user, ...columns };
          if (isActiveAdmin(user) && !isActiveAdmin(after) && otherActiveAdmins === 0) {
            throw lastAdmin(after.role === 'admin' ? 'status' : 'role');
          }
          const updated = await tx.users.update(viewer, { id: args.id, columns, now: now() });
          const changes = Object.entries(columns)
            .map(([field, value]) => ({ field, before: user[field as keyof UserColumns], after: value }))
            .filter((change) => change.before !== change.after);
          const actorEmail = user.id === viewerUserId(viewer) ? user.email : undefined;
          await tx.audit.append(SYSTEM, {
            actor: viewer,
            actorEmail,
            action: 'user.update',
            target: toTarget(user),
            changes,
          });
          return updated;
        }),
      );
    },

    /**
     * Deletes a user with their tokens, sessions, chats and connections. The tokens of the connections are revoked in
     * the background.
     *
     * @throws FORBIDDEN, NOT_FOUND, VALIDATION_FAILED
     */
    async delete(viewer: Viewer, id: string): Promise<void> {
      assertCan(viewer, 'user.delete');
      // The operator's token always belongs to this user, so the next start would create it again.
      if (id === BOOTSTRAP_ADMIN_ID) {
        const message = 'The bootstrap admin cannot be deleted; suspend the user instead.';
        throw validationFailed([{ path: ['id'], code: 'BOOTSTRAP_ADMIN', message }]);
      }
      const tokens = await store.transaction(async (tx) => {
        const { user, otherActiveAdmins } = await tx.users.lockWithAdmins(viewer, { id });
        if (user === null) throw notFound('user');
        if (isActiveAdmin(user) && otherActiveAdmins === 0) throw lastAdmin('id');
        const ended = await endings.remove(tx, viewer, { userId: id });
        await tx.users.delete(viewer, { id });
        const changes = [{ field: 'role', before: user.role, after: null }];
        const actorEmail = id === viewerUserId(viewer) ? user.email : undefined;
        await tx.audit.append(SYSTEM, {
          actor: viewer,
          actorEmail,
          action: 'user.delete',
          target: toTarget(user),
          changes,
        });
        return ended;
      });
      await endings.revokeAllLater(tokens);
    },
  };
}

/** PostgreSQL fails on text that it cannot store. No address contains such text, so nothing matches. */
function isUnfindable(filter: UserFilter | undefined): boolean {
  return filter?.search !== undefined && !isStorable(filter.search);
}

function toTarget({ id, email }: UserRecord) {
  return { type: 'user', id, label: email } as const;
}

/** Whether the user keeps the gateway from being without an admin. */
export function isActiveAdmin(user: Pick<UserRecord, 'role' | 'status'>): boolean {
  return user.role === 'admin' && user.status === 'active';
}

function lastAdmin(field: string): Error {
  const message = 'This is the last active admin; give another user the admin role first.';
  return validationFailed([{ path: [field], code: 'LAST_ADMIN', message }]);
}

function toColumns(input: UserInput): Partial<UserColumns> {
  const issues = new Issues();
  const columns: Partial<UserColumns> = {};
  if (input.email !== undefined) {
    columns.email = trimmed(input.email ?? '');
    if (!/^[^\s@]+@[^\s@]+$/.test(columns.email)) {
      issues.add(['email'], 'INVALID_EMAIL', 'Is not an email address such as ada@example.com.');
    } else {
      checkName(issues, ['email'], columns.email, MAX_EMAIL);
    }
  }
  if (input.role !== undefined) {
    if (input.role === null) issues.add(['role'], 'REQUIRED', `Choose one of ${ROLES.join(', ')}.`);
    else columns.role = input.role;
  }
  if (input.status !== undefined) {
    if (input.status === null) issues.add(['status'], 'REQUIRED', `Choose one of ${USER_STATUSES.join(', ')}.`);
    else columns.status = input.status;
  }
  issues.throwIfAny();
  return columns;
}

async function withEmailConflict<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (describeUniqueViolation(error) === undefined) throw error;
    throw conflict('email', 'Another user has this address.');
  }
}
