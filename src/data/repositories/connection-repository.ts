import { guarded } from '../guarded.ts';
import type { PrismaStore } from '../prisma.ts';

/** The users' own tokens at the servers: who is connected to what. */
export function createConnectionRepository(db: PrismaStore) {
  return {
    /** How many users are connected, by config; configs without any are left out. */
    countByConfig: guarded('mcpServerConfig.readAdminFields', async (args: { configIds: readonly string[] }) => {
      const groups = await db.mcpServerUserToken.groupBy({
        by: ['mcpServerConfigId'],
        where: { mcpServerConfigId: { in: [...args.configIds] } },
        _count: { _all: true },
      });
      return new Map(groups.map((group) => [group.mcpServerConfigId, group._count._all]));
    }),

    /** Those of the configs that the user is connected to. */
    listConnected: guarded(
      'mcpServerConnection.read',
      async (args: { userId: string; configIds: readonly string[] }) => {
        const rows = await db.mcpServerUserToken.findMany({
          where: { userId: args.userId, mcpServerConfigId: { in: [...args.configIds] } },
          select: { mcpServerConfigId: true },
        });
        return new Set(rows.map((row) => row.mcpServerConfigId));
      },
      (args) => ({ ownerId: args.userId }),
    ),

    /**
     * Removes tokens at a server: of one user, or of all.
     *
     * @returns how many there were
     */
    remove: guarded(
      'mcpServerConnection.remove',
      async (args: { configId: string; userId?: string | undefined }) => {
        const { count } = await db.mcpServerUserToken.deleteMany({
          where: { mcpServerConfigId: args.configId, ...(args.userId !== undefined && { userId: args.userId }) },
        });
        return count;
      },
      (args) => ({ ownerId: args.userId }),
    ),
  };
}
