import type { PrismaStore } from '../database/prisma.ts';
import { guarded } from './guarded.ts';

/** What credentials are worth now, looked up by their ids for many callers at once. */
export function createPrincipalRepository(db: PrismaStore) {
  return {
    /** Role and status of the users that there are, by id. */
    findUsers: guarded('credential.verify', async (args: { ids: readonly string[] }) => {
      const rows = await db.user.findMany({
        where: { id: { in: [...args.ids] } },
        select: { id: true, role: true, status: true },
      });
      return new Map(rows.map((row) => [row.id, row]));
    }),

    /** Those of the API tokens that are good at this time. */
    findGoodTokens: guarded('credential.verify', async (args: { ids: readonly string[]; at: Date }) => {
      const rows = await db.apiToken.findMany({
        where: {
          id: { in: [...args.ids] },
          revokedAt: null,
          OR: [{ expiresAt: null }, { expiresAt: { gt: args.at } }],
        },
        select: { id: true },
      });
      return new Set(rows.map(({ id }) => id));
    }),

    /** Those of the sessions that are good at this time. */
    findGoodSessions: guarded(
      'credential.verify',
      async (args: { ids: readonly string[]; at: Date; idleBefore: Date }) => {
        const rows = await db.session.findMany({
          where: { id: { in: [...args.ids] }, expiresAt: { gt: args.at }, lastSeenAt: { gt: args.idleBefore } },
          select: { id: true },
        });
        return new Set(rows.map(({ id }) => id));
      },
    ),
  };
}
