import type { PrismaStore } from '../database/prisma.ts';
import { guarded } from './guarded.ts';

/** Looks up the current status of many callers' credentials at once, by id. */
export function createPrincipalRepository(db: PrismaStore) {
  return {
    /** The role and status of the existing users, by id. */
    findUsers: guarded('credential.verify', async (args: { ids: readonly string[] }) => {
      const rows = await db.user.findMany({
        where: { id: { in: [...args.ids] } },
        select: { id: true, role: true, status: true },
      });
      return new Map(rows.map((row) => [row.id, row]));
    }),

    /** The API tokens that are valid at this time. */
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

    /** The sessions that are valid at this time. */
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
