import { assertCan, can } from '../../policy/policy.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type { SessionRecord } from '../records.ts';
import { toTokenLimits } from './api-token-repository.ts';
import { guarded } from './guarded.ts';

/** Browser sessions and sign-in links, looked up by the hash of their token. */
export function createSessionRepository(db: PrismaStore) {
  return {
    /** The caller provides the times, because the database's clock may differ from the one used to check sessions. */
    create: guarded(
      'session.create',
      async (args: {
        tokenHash: string;
        userId: string;
        apiTokenId: string | null;
        bootstrapDigest: string | null;
        createdAt: Date;
        expiresAt: Date;
      }) => toRecord(await db.session.create({ data: { ...args, lastSeenAt: args.createdAt } })),
    ),

    /** The session with this hash, its user and the token that opened it, whatever their status. */
    findByHash: guarded('credential.verify', async (args: { tokenHash: string }) => {
      const row = await db.session.findUnique({
        where: { tokenHash: args.tokenHash },
        include: { user: true, apiToken: true },
      });
      if (row === null) return null;
      const { user, apiToken } = row;
      return {
        session: toRecord(row),
        bootstrapDigest: row.bootstrapDigest,
        user: { role: user.role, status: user.status },
        apiToken:
          apiToken === null
            ? null
            : { expiresAt: apiToken.expiresAt, revokedAt: apiToken.revokedAt, ...toTokenLimits(apiToken) },
      };
    }),

    recordUse: guarded('credential.verify', async (args: { id: string; now: Date; staleBefore: Date }) => {
      await db.session.updateMany({
        where: { id: args.id, lastSeenAt: { lt: args.staleBefore } },
        data: { lastSeenAt: args.now },
      });
    }),

    /** The users' sessions that have not ended, newest first. Who may see only their own gets only those. */
    listByUserIds: guarded(
      'session.list',
      async (args: { userIds: readonly string[]; now: Date; idleBefore: Date }, viewer) => {
        const userIds = args.userIds.filter((ownerId) => can(viewer, 'session.list', { ownerId }));
        const { now, idleBefore } = args;
        const rows = await db.session.findMany({
          where: { userId: { in: userIds }, expiresAt: { gt: now }, lastSeenAt: { gt: idleBefore } },
          orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
        });
        return rows.map(toRecord);
      },
    ),

    /**
     * Ends a session. Who may end only their own learns nothing about others. Null if there is none.
     *
     * @returns the session as it was
     */
    end: guarded('session.end', async (args: { id: string }, viewer): Promise<SessionRecord | null> => {
      const row = await db.session.findUnique({ where: { id: args.id } });
      assertCan(viewer, 'session.end', { ownerId: row?.userId });
      if (row === null) return null;
      const { count } = await db.session.deleteMany({ where: { id: args.id } });
      return count === 0 ? null : toRecord(row);
    }),

    /** Removes sessions that have expired or have been idle since `idleBefore`, and old sign-in links. */
    sweep: guarded('session.create', async (args: { now: Date; idleBefore: Date }) => {
      await db.session.deleteMany({
        where: { OR: [{ expiresAt: { lt: args.now } }, { lastSeenAt: { lt: args.idleBefore } }] },
      });
      await db.signInLink.deleteMany({ where: { expiresAt: { lt: args.now } } });
    }),

    /** Ends the user's unused sign-in links. */
    removeSignInLinks: guarded('signInLink.create', async (args: { userId: string }) => {
      await db.signInLink.deleteMany({ where: { userId: args.userId } });
    }),

    createSignInLink: guarded(
      'signInLink.create',
      async (args: { tokenHash: string; userId: string; expiresAt: Date }) => {
        await db.signInLink.create({ data: args });
      },
    ),

    /** Takes a sign-in link. Only one of two concurrent attempts succeeds. */
    takeSignInLink: guarded('credential.verify', async (args: { tokenHash: string }) => {
      const rows = await db.$queryRaw<{ userId: string; expiresAt: Date }[]>`
        DELETE FROM sign_in_links WHERE token_hash = ${args.tokenHash}
        RETURNING user_id::text AS "userId", expires_at AS "expiresAt"`;
      return rows[0] ?? null;
    }),

    /** The role and status of a user, for credentials that carry only the user id. */
    findUser: guarded('credential.verify', async (args: { id: string }) => {
      const row = await db.user.findUnique({ where: { id: args.id } });
      return row === null ? null : { id: row.id, role: row.role, status: row.status };
    }),
  };
}

function toRecord(row: Prisma.SessionGetPayload<object>): SessionRecord {
  const { id, userId, apiTokenId, createdAt, lastSeenAt, expiresAt } = row;
  return { id, userId, apiTokenId, createdAt, lastSeenAt, expiresAt };
}
