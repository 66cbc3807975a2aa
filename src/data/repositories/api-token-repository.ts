import { assertCan, can } from '../../policy/policy.ts';
import { type TokenScope, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { Prisma } from '../generated/client.ts';
import type { ApiTokenRecord, Page } from '../records.ts';
import {
  type ApiTokenFilter,
  type ApiTokenOrder,
  type ApiTokenPlace,
  toTokenConditions,
  toTokenOrder,
} from './api-token-list.ts';
import { guarded } from './guarded.ts';

/** What is given when a token is created. */
type Given = Pick<ApiTokenRecord, 'userId' | 'name' | 'scopes' | 'mcpServerIds' | 'expiresAt'>;

/** API tokens, looked up by their hash. The tokens themselves are not stored. */
export function createApiTokenRepository(db: PrismaStore) {
  return {
    /** The tokens of all users, or only the viewer's own, for those who may see no others. */
    list: guarded(
      'apiToken.list',
      async (
        args: {
          first: number;
          after?: ApiTokenPlace | undefined;
          filter?: ApiTokenFilter | undefined;
          order: ApiTokenOrder;
          now: Date;
        },
        viewer,
      ): Promise<Page<ApiTokenRecord>> => {
        const { first, after, filter = {}, order, now } = args;
        const { isAfter, by } = toTokenOrder(order, after);
        const rows = await db.$queryRaw<ApiTokenRecord[]>`
          SELECT id::text, user_id::text AS "userId", name, scopes,
            nullif(mcp_server_ids, '{}')::text[] AS "mcpServerIds", expires_at AS "expiresAt",
            revoked_at AS "revokedAt", last_used_at AS "lastUsedAt", created_at AS "createdAt"
          FROM api_tokens
          WHERE ${isVisibleTo(viewer)} AND ${toTokenConditions(filter, now)} AND ${isAfter}
          ORDER BY ${by} LIMIT ${first + 1}`;
        return { rows: rows.slice(0, first), hasMore: rows.length > first };
      },
    ),

    count: guarded('apiToken.list', async (args: { filter?: ApiTokenFilter | undefined; now: Date }, viewer) => {
      const [row] = await db.$queryRaw<{ count: bigint }[]>`
        SELECT count(*) AS count FROM api_tokens
        WHERE ${isVisibleTo(viewer)} AND ${toTokenConditions(args.filter ?? {}, args.now)}`;
      return Number(row?.count ?? 0);
    }),

    listByUserIds: guarded('apiToken.list', async (args: { userIds: readonly string[] }, viewer) => {
      const userIds = args.userIds.filter((ownerId) => can(viewer, 'apiToken.list', { ownerId }));
      const rows = await db.apiToken.findMany({
        where: { userId: { in: userIds } },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      });
      return rows.map(toRecord);
    }),

    create: guarded(
      'apiToken.create',
      async (args: Given & { tokenHash: string }) => {
        const { mcpServerIds, ...columns } = args;
        return toRecord(await db.apiToken.create({ data: { ...columns, mcpServerIds: mcpServerIds ?? [] } }));
      },
      (args) => ({ ownerId: args.userId }),
    ),

    /** Removes the user's tokens that ended first, so that at most `keep` are left that were revoked or expired. */
    removeEnded: guarded(
      'apiToken.create',
      async (args: { userId: string; now: Date; keep: number }) => {
        await db.$executeRaw`
          DELETE FROM api_tokens WHERE id IN (
            SELECT id FROM api_tokens WHERE user_id = ${args.userId}::uuid
              AND (revoked_at IS NOT NULL OR expires_at <= ${args.now}::timestamptz)
            ORDER BY coalesce(revoked_at, expires_at) DESC, id OFFSET ${args.keep})`;
      },
      (args) => ({ ownerId: args.userId }),
    ),

    /**
     * Revokes a token and ends its sessions. Revoking again keeps the first time; `isChanged` says whether this was the
     * first. Who may revoke only their own tokens learns nothing about others. Null if there is none.
     */
    revoke: guarded('apiToken.revoke', async (args: { id: string; revokedAt: Date }, viewer) => {
      const found = await db.apiToken.findUnique({ where: { id: args.id }, select: { userId: true } });
      assertCan(viewer, 'apiToken.revoke', { ownerId: found?.userId });
      const { count } = await db.apiToken.updateMany({
        where: { id: args.id, revokedAt: null },
        data: { revokedAt: args.revokedAt },
      });
      await db.session.deleteMany({ where: { apiTokenId: args.id } });
      const row = await db.apiToken.findUnique({ where: { id: args.id } });
      return row === null ? null : { apiToken: toRecord(row), isChanged: count > 0 };
    }),

    /** The token with this hash and its user, whatever their status. */
    findByHash: guarded('credential.verify', async (args: { tokenHash: string }) => {
      const row = await db.apiToken.findUnique({ where: { tokenHash: args.tokenHash }, include: { user: true } });
      return row === null ? null : { token: toRecord(row), user: { role: row.user.role, status: row.user.status } };
    }),

    /**
     * Records a use, unless one was recorded since `staleBefore`, so that a busy token does not cause a write per
     * request.
     */
    recordUse: guarded('credential.verify', async (args: { id: string; now: Date; staleBefore: Date }) => {
      await db.apiToken.updateMany({
        where: { id: args.id, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: args.staleBefore } }] },
        data: { lastUsedAt: args.now },
      });
    }),
  };
}

function isVisibleTo(viewer: Viewer): Prisma.Sql {
  const ownerId = viewerUserId(viewer);
  const isAny = can(viewer, 'apiToken.list', { ownerId: undefined });
  return isAny ? Prisma.sql`TRUE` : Prisma.sql`user_id = ${ownerId}::uuid`;
}

function toRecord(row: Prisma.ApiTokenGetPayload<object>): ApiTokenRecord {
  const { id, userId, name, expiresAt, revokedAt, lastUsedAt, createdAt } = row;
  return { id, userId, name, ...toTokenLimits(row), expiresAt, revokedAt, lastUsedAt, createdAt };
}

/** The stored limits of a token. */
export function toTokenLimits(row: { scopes: string[]; mcpServerIds: string[] }) {
  return {
    scopes: row.scopes as TokenScope[],
    mcpServerIds: row.mcpServerIds.length === 0 ? null : row.mcpServerIds,
  };
}
