import type { Role } from '../../policy/viewer.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type { Page, UserRecord, UserStatus } from '../records.ts';
import { guarded } from './guarded.ts';

/** A position in the list: after the user with this creation time and id. */
export interface UserCursor {
  createdAt: Date;
  id: string;
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
      async (args: { first: number; after?: UserCursor | undefined }): Promise<Page<UserRecord>> => {
        const { createdAt, id } = args.after ?? {};
        const rows = await db.user.findMany({
          ...(createdAt !== undefined &&
            id !== undefined && {
              where: { OR: [{ createdAt: { gt: createdAt } }, { createdAt, id: { gt: id } }] },
            }),
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
          take: args.first + 1,
        });
        return { rows: rows.slice(0, args.first).map(toRecord), hasMore: rows.length > args.first };
      },
    ),

    count: guarded('user.list', () => db.user.count()),

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

    update: guarded('user.update', async (args: { id: string; columns: Partial<UserColumns> }) =>
      toRecord(await db.user.update({ where: { id: args.id }, data: args.columns })),
    ),

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
      async (args: { issuer: string; subject: string; issuedAt: Date | undefined }): Promise<UserRecord | null> => {
        if (await isDeletedSince(db, args)) return null;
        const { issuer: oidcIssuer, subject: oidcSubject } = args;
        const row = await db.user.findUnique({ where: { oidcIssuer_oidcSubject: { oidcIssuer, oidcSubject } } });
        return row === null ? null : toRecord(row);
      },
    ),

    /**
     * The user of an OpenID Connect identity: created on first sight, with the role kept in sync with the token. A new
     * row gets the first of `emails` that is free; identities are never merged by address. Null for a token that was
     * issued before its user was deleted, or that does not say when it was issued.
     */
    provisionOidc: guarded(
      'user.provision',
      async (args: {
        issuer: string;
        subject: string;
        emails: readonly string[];
        role: Role;
        issuedAt: Date | undefined;
      }): Promise<UserRecord | null> => {
        const { issuer: oidcIssuer, subject: oidcSubject, role } = args;
        if (await isDeletedSince(db, args)) return null;
        const where = { oidcIssuer_oidcSubject: { oidcIssuer, oidcSubject } };
        let row = await db.user.findUnique({ where });
        for (const email of args.emails) {
          if (row !== null) break;
          // Does nothing when the address is taken, or when a concurrent first request created the row.
          await db.user.createMany({ data: { oidcIssuer, oidcSubject, email, role }, skipDuplicates: true });
          row = await db.user.findUnique({ where });
        }
        if (row === null) throw new Error('every address belongs to another user');
        return toRecord(row.role === role ? row : await db.user.update({ where, data: { role } }));
      },
    ),
  };
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
