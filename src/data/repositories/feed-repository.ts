import type { PrismaStore } from '../database/prisma.ts';
import type { ConfigChangeRecord } from '../records.ts';
import { toConfigFromJson } from './config-json.ts';
import { guarded } from './guarded.ts';

/** Where the feed is. */
export interface FeedPosition {
  /** Of this database: cursors of another one are of no use. */
  epoch: string;
  /** The newest change. */
  rev: bigint;
  /** The newest change that is not kept any more. */
  expiredRev: bigint;
  /** Goes up when what replicas keep in memory changed otherwise. */
  touches: bigint;
}

/** The changes of configs and connections, in the order of their commits. Written by triggers. */
export function createFeedRepository(db: PrismaStore) {
  return {
    /**
     * @param withHistory makes the history part of the epoch: the timeline that a server begins when it takes over from
     *   another or is recovered to a point in time, and the database's own number, which is new when it was made anew.
     *   A cursor from a history that was given up could name a change that never was. Rejects where the server does
     *   not tell.
     */
    position: guarded('feed.read', async ({ withHistory }: { withHistory: boolean }): Promise<FeedPosition> => {
      const [row] = withHistory
        ? await db.$queryRaw<FeedPosition[]>`
            SELECT n AS rev, expired_rev AS "expiredRev", touches, concat_ws('-', epoch,
              substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8),
              (SELECT oid FROM pg_database WHERE datname = current_database())) AS epoch
            FROM feed_counter`
        : await db.$queryRaw<FeedPosition[]>`
            SELECT n AS rev, expired_rev AS "expiredRev", touches, epoch::text FROM feed_counter`;
      if (row === undefined) throw new Error('the change feed has no counter');
      return row;
    }),

    /** The next changes after one. */
    listAfter: guarded('feed.read', async (args: { rev: bigint; limit: number }): Promise<ConfigChangeRecord[]> => {
      const rows = await db.configChange.findMany({
        where: { rev: { gt: args.rev } },
        orderBy: { rev: 'asc' },
        take: args.limit,
      });
      return rows.map(({ kind, config, ...row }) => ({
        ...row,
        kind: kind as ConfigChangeRecord['kind'],
        config: config === null ? null : toConfigFromJson(config as Record<string, unknown>),
      }));
    }),

    /** Removes what is older. @returns how many there were */
    removeBefore: guarded('feed.expire', async (args: { before: Date }): Promise<number> => {
      // Up to the first that is kept: times may go back where a clock was set, numbers do not.
      const [row] = await db.$queryRaw<{ count: bigint }[]>`
        WITH gone AS (
          DELETE FROM config_changes
          WHERE rev < COALESCE((SELECT min(rev) FROM config_changes WHERE occurred_at >= ${args.before}), 9223372036854775807)
          RETURNING rev
        ), moved AS (
          UPDATE feed_counter SET expired_rev = GREATEST(expired_rev, (SELECT max(rev) FROM gone))
          WHERE id = 1 AND EXISTS (SELECT 1 FROM gone)
        )
        SELECT count(*) AS count FROM gone`;
      return Number(row?.count ?? 0);
    }),
  };
}
