import type { PrismaStore } from '../database/prisma.ts';
import type { ConnectionRecord } from '../records.ts';
import { guarded } from './guarded.ts';
import { toUserToken, USER_TOKEN_SELECT, type UserTokenRecord } from './user-token-repository.ts';

/** Selects connections by user, by server, or by both. At least one is given. */
export interface ConnectionScope {
  configId?: string | undefined;
  userId?: string | undefined;
}

/** Selects a user's connections. */
export interface ListConnectionsArgs {
  configIds?: readonly string[] | undefined;
  /** Bypasses the in-memory cache. */
  bypassCache?: boolean | undefined;
}

/** Connections between users and servers. No function here reveals a token. */
export function createConnectionRepository(db: PrismaStore) {
  return {
    /** The number of connected users per config. Configs without any are omitted. */
    countByConfig: guarded('mcpServerConfig.readAdminFields', async (args: { configIds: readonly string[] }) => {
      const groups = await db.mcpServerUserToken.groupBy({
        by: ['mcpServerConfigId'],
        where: { mcpServerConfigId: { in: [...args.configIds] }, blockedReason: null },
        _count: { _all: true },
      });
      return new Map(groups.map((group) => [group.mcpServerConfigId, group._count._all]));
    }),

    /** The number of connections of all users. */
    countAll: guarded('gatewayStatus.read', () => db.mcpServerUserToken.count({ where: { blockedReason: null } })),

    /** A user's connections to the given configs. Configs without one are omitted. */
    list: guarded(
      'mcpServerConnection.read',
      async (args: ListConnectionsArgs & { userId: string }): Promise<ConnectionRecord[]> => {
        const found = await findConnections(db, [args.userId], args.configIds);
        return found.map(({ userId: _userId, ...connection }) => connection);
      },
      (args) => ({ ownerId: args.userId }),
    ),

    /** The connections of several users to the given configs, or to all. The number of statements is constant. */
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

    /** The configs with matching connections, in a fixed order. */
    listConfigIds: guarded(
      'mcpServerConnection.remove',
      async ({ configId, userId }: ConnectionScope): Promise<string[]> => {
        if (configId !== undefined) return [configId];
        if (userId === undefined) throw new Error('a connection scope needs a user or a config');
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
     * Removes connections with all their data, including sign-ins in progress. Call it in a transaction. The tokens are
     * locked first: a concurrent refresh is either seen here or finds no row to write to.
     *
     * @returns the removed tokens, still sealed, so that they can be revoked
     */
    remove: guarded(
      'mcpServerConnection.remove',
      async ({ configId, userId }: ConnectionScope): Promise<UserTokenRecord[]> => {
        if (configId === undefined && userId === undefined)
          throw new Error('a connection scope needs a user or a config');
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
        await db.mcpServerScopeRequest.deleteMany({ where });
        await db.mcpOAuthFlow.deleteMany({ where });
        return tokens.map(toUserToken);
      },
      (args) => ({ ownerId: args.userId }),
    ),
  };
}

/** Ended connections come first: where a token exists as well, it is newer. */
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
      expiresAt: true,
      blockedReason: true,
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
      endsAt: row.refreshTokenKeyId === null ? row.expiresAt : null,
      blockedReason: row.blockedReason,
    })),
  ];
}
