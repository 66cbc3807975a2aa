import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type { ApiTokenRecord } from '../records.ts';
import { guarded } from './guarded.ts';

/** API tokens, looked up by their hash. The tokens themselves are not stored. */
export function createApiTokenRepository(db: PrismaStore) {
  return {
    listByUserIds: guarded('apiToken.list', async (args: { userIds: readonly string[] }) => {
      const rows = await db.apiToken.findMany({
        where: { userId: { in: [...args.userIds] } },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      });
      return rows.map(toRecord);
    }),

    create: guarded(
      'apiToken.create',
      async (args: { userId: string; name: string; tokenHash: string; expiresAt: Date | null }) =>
        toRecord(await db.apiToken.create({ data: args })),
    ),

    /** Revokes a token and ends its sessions. Revoking again keeps the first time. */
    revoke: guarded('apiToken.revoke', async (args: { id: string; revokedAt: Date }) => {
      await db.apiToken.updateMany({ where: { id: args.id, revokedAt: null }, data: { revokedAt: args.revokedAt } });
      await db.session.deleteMany({ where: { apiTokenId: args.id } });
      const row = await db.apiToken.findUnique({ where: { id: args.id } });
      return row === null ? null : toRecord(row);
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

function toRecord(row: Prisma.ApiTokenGetPayload<object>): ApiTokenRecord {
  const { id, userId, name, expiresAt, revokedAt, lastUsedAt, createdAt } = row;
  return { id, userId, name, expiresAt, revokedAt, lastUsedAt, createdAt };
}
