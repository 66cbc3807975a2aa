import { assertCan, can } from '../../policy/policy.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { Prisma } from '../generated/client.ts';
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
        oidcIssuer: string | null;
        oidcSessionId: string | null;
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

    /**
     * Ends the sessions that sign-ins at an OpenID Connect issuer opened: of one of its sessions, of one of its users, or
     * both.
     *
     * @returns the ids of their users
     */
    endOidc: guarded(
      'session.create',
      async (args: { issuer: string; sessionId: string | undefined; subject: string | undefined }) => {
        const { issuer, sessionId, subject } = args;
        if (sessionId === undefined && subject === undefined) return [];
        const ofSession = sessionId === undefined ? Prisma.sql`TRUE` : Prisma.sql`s.oidc_session_id = ${sessionId}`;
        const ofUser = subject === undefined ? Prisma.sql`TRUE` : Prisma.sql`u.oidc_subject = ${subject}`;
        const rows = await db.$queryRaw<{ userId: string }[]>`
          DELETE FROM sessions s USING users u
          WHERE s.user_id = u.id AND s.oidc_issuer = ${issuer} AND u.oidc_issuer = ${issuer}
            AND ${ofSession} AND ${ofUser}
          RETURNING s.user_id::text AS "userId"`;
        return [...new Set(rows.map(({ userId }) => userId))];
      },
    ),

    /** Uses something up that counts once, and forgets what is no longer valid. @returns false if it was used before */
    useOnce: guarded('session.create', async (args: { digest: string; expiresAt: Date; now: Date }) => {
      const { digest, expiresAt, now } = args;
      await db.oidcSingleUse.deleteMany({ where: { expiresAt: { lt: now } } });
      const { count } = await db.oidcSingleUse.createMany({ data: { digest, expiresAt }, skipDuplicates: true });
      return count === 1;
    }),

    /**
     * Lets sign-ins and logouts of an issuer take turns until the transaction ends, so that none slips in between: any number
     * of sign-ins at once, or one logout.
     */
    lockSignIns: guarded('session.create', async (args: { issuer: string; isLogout: boolean }): Promise<void> => {
      const name = `sign-ins ${args.issuer}`;
      if (args.isLogout) await db.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
      else await db.$executeRaw`SELECT pg_advisory_xact_lock_shared(hashtextextended(${name}, 0))`;
    }),

    /** Remembers whom a logout named, as long as a sign-in that began before could come back. */
    rememberLogout: guarded(
      'session.create',
      async (args: { digests: readonly string[]; issuedAt: Date; receivedAt: Date; expiresAt: Date }) => {
        const { digests, ...times } = args;
        await db.oidcLogout.deleteMany({ where: { expiresAt: { lt: args.receivedAt } } });
        for (const digest of digests) {
          await db.oidcLogout.upsert({ where: { digest }, create: { digest, ...times }, update: times });
        }
      },
    ),

    /** The logouts that named one of these. */
    findLogouts: guarded('session.create', async (args: { digests: readonly string[]; now: Date }) =>
      db.oidcLogout.findMany({ where: { digest: { in: [...args.digests] }, expiresAt: { gte: args.now } } }),
    ),

    /** Removes sessions that have expired or have been idle since `idleBefore`, and old sign-in links. */
    sweep: guarded('session.create', async (args: { now: Date; idleBefore: Date }) => {
      // One after the other, so that each has its index.
      await db.session.deleteMany({ where: { expiresAt: { lt: args.now } } });
      await db.session.deleteMany({ where: { lastSeenAt: { lt: args.idleBefore } } });
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
