import type { PrismaStore } from '../database/prisma.ts';
import type { ConnectionRecord } from '../records.ts';
import { guarded } from './guarded.ts';
import { toUserToken, USER_TOKEN_SELECT, type UserTokenRecord } from './user-token-repository.ts';

/** Which connections: of one user or all, at one server or all. One of both is given. */
export interface ConnectionScope {
  configId?: string | undefined;
  userId?: string | undefined;
}

/** Which of a user's connections. */
export interface ListConnectionsArgs {
  configIds?: readonly string[] | undefined;
  /** Not from memory, where there is one in front. */
  anew?: boolean | undefined;
}

/** Who is connected to what: no function here shows a token. */
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

    /** How the user stands with each of the configs; those that he has nothing to do with are left out. */
    list: guarded(
      'mcpServerConnection.read',
      async (args: ListConnectionsArgs & { userId: string }): Promise<ConnectionRecord[]> => {
        const found = await findConnections(db, [args.userId], args.configIds);
        return found.map(({ userId: _userId, ...connection }) => connection);
      },
      (args) => ({ ownerId: args.userId }),
    ),

    /** How each of the users stands with each of the configs, or with all; in as many statements for any number. */
    listOfUsers: guarded(
      'mcpServerConnection.readAny',
      async (args: ListConnectionsArgs & { userIds: readonly string[] }) => {
        const byUser = new Map<string, ConnectionRecord[]>();
        const { userIds, configIds } = args;
        for (const { userId, ...connection } of await findConnections(db, userIds, configIds)) {
          const known = byUser.get(userId);
          if (known === undefined) byUser.set(userId, [connection]);
          else known.push(connection);
        }
        return byUser;
      },
    ),

    /** Where there are such connections, in a fixed order. */
    listConfigIds: guarded(
      'mcpServerConnection.remove',
      async ({ configId, userId }: ConnectionScope): Promise<string[]> => {
        if (configId !== undefined) return [configId];
        if (userId === undefined) throw new Error('whose connections?');
        const rows = await db.mcpServerUserToken.findMany({
          where: { userId },
          select: { mcpServerConfigId: true },
          orderBy: { mcpServerConfigId: 'asc' },
        });
        return rows.map((row) => row.mcpServerConfigId);
      },
      (args) => ({ ownerId: args.userId }),
    ),

    /**
     * Removes connections with all that belongs to them, those in the making too. Call it in a transaction: the tokens
     * are held first, so that a refresh that is under way is either seen here or finds nothing to write to.
     *
     * @returns the tokens that there were, still sealed, for their revocation
     */
    remove: guarded(
      'mcpServerConnection.remove',
      async ({ configId, userId }: ConnectionScope): Promise<UserTokenRecord[]> => {
        if (configId === undefined && userId === undefined) throw new Error('whose connections?');
        const where = {
          ...(configId !== undefined && { mcpServerConfigId: configId }),
          ...(userId !== undefined && { userId }),
        };
        await db.$queryRaw`
          SELECT id FROM mcp_server_user_tokens
          WHERE (${configId ?? null}::uuid IS NULL OR mcp_server_config_id = ${configId ?? null}::uuid)
            AND (${userId ?? null}::uuid IS NULL OR user_id = ${userId ?? null}::uuid)
          ORDER BY id FOR UPDATE`;
        const tokens = await db.mcpServerUserToken.findMany({ where, select: USER_TOKEN_SELECT });
        await db.mcpServerUserToken.deleteMany({ where });
        await db.mcpServerEndedConnection.deleteMany({ where });
        await db.mcpOAuthFlow.deleteMany({ where });
        return tokens.map(toUserToken);
      },
      (args) => ({ ownerId: args.userId }),
    ),
  };
}

/** Ended ones first: where there is a token beside, it is the newer. */
async function findConnections(
  db: PrismaStore,
  userIds: readonly string[],
  configIds: readonly string[] | undefined,
): Promise<(ConnectionRecord & { userId: string })[]> {
  const where = {
    userId: { in: [...userIds] },
    ...(configIds !== undefined && { mcpServerConfigId: { in: [...configIds] } }),
  };
  const ended = await db.mcpServerEndedConnection.findMany({
    where,
    select: { userId: true, mcpServerConfigId: true, reason: true },
  });
  const tokens = await db.mcpServerUserToken.findMany({
    where,
    select: {
      id: true,
      version: true,
      userId: true,
      mcpServerConfigId: true,
      accessTokenKeyId: true,
      refreshTokenKeyId: true,
      wantedScopes: true,
    },
  });
  return [
    ...ended.map(({ userId, mcpServerConfigId: configId, reason }) => ({
      kind: 'ended' as const,
      userId,
      configId,
      reason,
    })),
    ...tokens.map((row) => ({
      kind: 'connected' as const,
      userId: row.userId,
      configId: row.mcpServerConfigId,
      tokenId: row.id,
      version: row.version,
      secretKeyDigests: [...new Set([row.accessTokenKeyId, row.refreshTokenKeyId])].filter((id) => id !== null),
      needsMoreScopes: row.wantedScopes.length > 0,
    })),
  ];
}
