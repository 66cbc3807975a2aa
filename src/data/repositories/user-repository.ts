import type { Role } from '../../policy/viewer.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { Prisma } from '../generated/client.ts';
import type { Page, UserRecord, UserStatus } from '../records.ts';
import { guarded } from './guarded.ts';

/** How a list of users may be sorted. */
export const USER_ORDERS = ['created_asc', 'created_desc', 'email_asc', 'email_desc'] as const;
/** An order of users. Users with the same value are sorted by id. */
export type UserOrder = (typeof USER_ORDERS)[number];

/** A position in a list: after the user with this id, and this value of what the list is sorted by. */
export interface UserCursor {
  key: string;
  id: string;
}

/** Which users to list. All given conditions must hold. */
export interface UserFilter {
  /** A part of the address, ignoring case. */
  search?: string | undefined;
  role?: Role | undefined;
  status?: UserStatus | undefined;
}

/** A user of an OpenID Connect identity. */
export interface OidcUserRecord extends UserRecord {
  /** When the information was issued that last decided the role. */
  roleAt: Date | null;
}

/** The columns of a user for writing. */
export interface UserColumns {
  email: string;
  role: Role;
  status: UserStatus;
}

/** Users. */
export function createUserRepository(db: PrismaStore) {
  return {
    list: guarded(
      'user.list',
      async (args: {
        first: number;
        after?: UserCursor | undefined;
        filter?: UserFilter | undefined;
        order?: UserOrder | undefined;
      }): Promise<Page<UserRecord>> => {
        const { first, after, order = 'created_asc' } = args;
        const { key, parameter, isDescending } = ORDERS[order];
        const isAfter =
          after === undefined
            ? Prisma.sql`TRUE`
            : Prisma.sql`(${key}, id) ${isDescending ? Prisma.sql`<` : Prisma.sql`>`} (${parameter(after.key)}, ${after.id}::uuid)`;
        const direction = isDescending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
        const rows = await db.$queryRaw<UserRecord[]>`
          SELECT id::text, email, role, status, created_at AS "createdAt", updated_at AS "updatedAt" FROM users
          WHERE ${toWhere(args.filter)} AND ${isAfter}
          ORDER BY ${key} ${direction}, users.id ${direction} LIMIT ${first + 1}`;
        return { rows: rows.slice(0, first), hasMore: rows.length > first };
      },
    ),

    count: guarded('user.list', async (args: { filter?: UserFilter | undefined }) => {
      const [row] = await db.$queryRaw<{ count: bigint }[]>`
        SELECT count(*) AS count FROM users WHERE ${toWhere(args.filter)}`;
      return Number(row?.count ?? 0);
    }),

    /** The existing users among these ids, in any order. */
    findByIds: guarded('user.read', async (args: { ids: readonly string[] }, viewer) => {
      const own = viewer.kind === 'user' && viewer.role === 'member';
      const ids = own ? args.ids.filter((id) => id === viewer.userId) : [...args.ids];
      const rows = await db.user.findMany({ where: { id: { in: ids } } });
      return rows.map(toRecord);
    }),

    /** Reads a user and locks the row and those of all active admins until the transaction ends. */
    lockWithAdmins: guarded('user.update', async (args: { id: string }) => {
      const locked = await db.$queryRaw<{ isOtherActiveAdmin: boolean }[]>`
        SELECT id <> ${args.id}::uuid AND role = 'admin' AND status = 'active' AS "isOtherActiveAdmin" FROM users
        WHERE id = ${args.id}::uuid OR (role = 'admin' AND status = 'active')
        ORDER BY id FOR UPDATE`;
      const row = await db.user.findUnique({ where: { id: args.id } });
      return {
        user: row === null ? null : toRecord(row),
        otherActiveAdmins: locked.filter((each) => each.isOtherActiveAdmin).length,
      };
    }),

    create: guarded('user.create', async (args: { columns: UserColumns }) =>
      toRecord(await db.user.create({ data: args.columns })),
    ),

    /** @param args.now when an admin decides the role: tokens from before then do not change it */
    update: guarded('user.update', async (args: { id: string; columns: Partial<UserColumns>; now: Date }) => {
      const { id, columns, now } = args;
      const data = { ...columns, ...(columns.role !== undefined && { oidcRoleAt: now }) };
      return toRecord(await db.user.update({ where: { id }, data }));
    }),

    /** Deletes a user and records when, so that tokens issued to them earlier are refused. Call it in a transaction. */
    delete: guarded('user.delete', async (args: { id: string }) => {
      const row = await db.user.findUnique({ where: { id: args.id } });
      if (row === null) return false;
      await db.user.delete({ where: { id: args.id } });
      const { oidcIssuer: issuer, oidcSubject: subject } = row;
      if (issuer !== null && subject !== null) {
        const deletedAt = new Date();
        const where = { issuer_subject: { issuer, subject } };
        await db.deletedIdentity.upsert({ where, create: { issuer, subject, deletedAt }, update: { deletedAt } });
      }
      return true;
    }),

    /** Creates the row with this fixed id unless it exists. Uses the other address if the first one is taken. */
    ensure: guarded('user.provision', async (args: { id: string; columns: UserColumns; otherEmail: string }) => {
      const { id, columns, otherEmail } = args;
      await db.user.createMany({ data: { id, ...columns }, skipDuplicates: true });
      if ((await db.user.count({ where: { id } })) === 1) return;
      await db.user.createMany({ data: { id, ...columns, email: otherEmail }, skipDuplicates: true });
    }),

    /** The existing user of an OpenID Connect identity. Null if there is none, or none for this token. */
    findOidc: guarded(
      'user.provision',
      async (args: { issuer: string; subject: string; issuedAt: Date | undefined }): Promise<OidcUserRecord | null> => {
        if (await isDeletedSince(db, args)) return null;
        const { issuer: oidcIssuer, subject: oidcSubject } = args;
        const row = await db.user.findUnique({ where: { oidcIssuer_oidcSubject: { oidcIssuer, oidcSubject } } });
        return row === null ? null : toOidcRecord(row);
      },
    ),

    /**
     * Creates the user of an OpenID Connect identity, unless a concurrent request just did. The row gets the first of
     * `emails` that is free; identities are never merged by address. Null for a token that was issued before its user was
     * deleted, or that does not say when it was issued.
     */
    createOidc: guarded(
      'user.provision',
      async (args: {
        issuer: string;
        subject: string;
        emails: readonly string[];
        role: Role;
        issuedAt: Date | undefined;
      }): Promise<OidcUserRecord | null> => {
        const { issuer: oidcIssuer, subject: oidcSubject, role, issuedAt: oidcRoleAt = null } = args;
        if (await isDeletedSince(db, args)) return null;
        const where = { oidcIssuer_oidcSubject: { oidcIssuer, oidcSubject } };
        for (const email of args.emails) {
          // Does nothing when the address is taken, or when a concurrent first request created the row.
          const data = { oidcIssuer, oidcSubject, oidcRoleAt, email, role };
          await db.user.createMany({ data, skipDuplicates: true });
          const row = await db.user.findUnique({ where });
          if (row !== null) return toOidcRecord(row);
        }
        throw new Error('every address belongs to another user');
      },
    ),

    /** When the information was issued that last decided the user's role. */
    readOidcRoleAt: guarded('user.provision', async (args: { id: string }): Promise<Date | null> => {
      const row = await db.user.findUnique({ where: { id: args.id }, select: { oidcRoleAt: true } });
      return row?.oidcRoleAt ?? null;
    }),

    /** Sets the role that the issuer gives to a user, and when it said so. Lock the row first. */
    setOidcRole: guarded(
      'user.provision',
      async (args: { id: string; role: Role; issuedAt: Date | undefined }): Promise<OidcUserRecord> => {
        const { id, role, issuedAt: oidcRoleAt } = args;
        const data = { role, ...(oidcRoleAt !== undefined && { oidcRoleAt }) };
        return toOidcRecord(await db.user.update({ where: { id }, data }));
      },
    ),

    /** Whether the user has a session that a sign-in at the issuer opened, and that has not ended. */
    hasOidcSession: guarded('user.provision', async (args: { id: string; now: Date; idleBefore: Date }) => {
      const { id: userId, now, idleBefore } = args;
      const isLive = { expiresAt: { gt: now }, lastSeenAt: { gt: idleBefore } };
      const session = await db.session.findFirst({
        where: { userId, oidcIssuer: { not: null }, ...isLive },
        select: { id: true },
      });
      return session !== null;
    }),
  };
}

/** Addresses are compared by code point, so that the order does not depend on the database's collation. */
const EMAIL = {
  key: Prisma.sql`lower(email) COLLATE "C"`,
  parameter: (key: string) => Prisma.sql`lower(${key}::text)`,
};
const CREATED = { key: Prisma.sql`created_at`, parameter: (key: string) => Prisma.sql`${key}::timestamptz` };

const ORDERS = {
  created_asc: { ...CREATED, isDescending: false },
  created_desc: { ...CREATED, isDescending: true },
  email_asc: { ...EMAIL, isDescending: false },
  email_desc: { ...EMAIL, isDescending: true },
} as const satisfies Record<UserOrder, object>;

function toWhere({ search, role, status }: UserFilter = {}): Prisma.Sql {
  return Prisma.join(
    [
      Prisma.sql`TRUE`,
      ...(search === undefined ? [] : [Prisma.sql`position(lower(${search}::text) IN lower(email)) > 0`]),
      ...(role === undefined ? [] : [Prisma.sql`role = ${role}`]),
      ...(status === undefined ? [] : [Prisma.sql`status = ${status}`]),
    ],
    ' AND ',
  );
}

/** Whether the identity's user was deleted after the token was issued, or the token has no issue time. */
async function isDeletedSince(
  db: PrismaStore,
  { issuer, subject, issuedAt }: { issuer: string; subject: string; issuedAt: Date | undefined },
): Promise<boolean> {
  const deleted = await db.deletedIdentity.findUnique({ where: { issuer_subject: { issuer, subject } } });
  return deleted !== null && (issuedAt === undefined || issuedAt <= deleted.deletedAt);
}

function toRecord(row: Prisma.UserGetPayload<object>): UserRecord {
  const { id, email, role, status, createdAt, updatedAt } = row;
  return { id, email, role: role as Role, status: status as UserStatus, createdAt, updatedAt };
}

function toOidcRecord(row: Prisma.UserGetPayload<object>): OidcUserRecord {
  return { ...toRecord(row), roleAt: row.oidcRoleAt };
}
