import type { PrismaStore } from '../database/prisma.ts';
import type { ConfigChangeRecord } from '../records.ts';
import { toConfigFromJson } from './config-json.ts';
import { guarded } from './guarded.ts';

/** The current position of the feed. */
export interface FeedPosition {
  /** Identifies this database. Cursors from another one are invalid. */
  epoch: string;
  /** The newest change. */
  rev: bigint;
  /** The newest change that has been removed by age. */
  expiredRev: bigint;
  /** Increases on changes that are not in the feed but affect what replicas cache. */
  callerVersion: bigint;
  /** Increases with those of these changes that may affect configs. */
  configVersion: bigint;
}

interface ListArgs {
  /** Lists the changes after this one. */
  rev: bigint;
  limit: number;
  /** Without them, a change of a large config needs little memory. Default true. */
  withConfigs?: boolean | undefined;
}

/** The changes to configs and connections in commit order. Written by triggers. */
export function createFeedRepository(db: PrismaStore) {
  return {
    /**
     * @param withHistory adds the history to the epoch: the timeline, which changes when a server takes over from
     *   another or is recovered to a point in time, and the database's own identifier, which changes when it is
     *   recreated. Without it, a cursor from an abandoned history could name a change that never happened here. Rejects
     *   where the server does not report its history.
     */
    position: guarded('feed.read', async ({ withHistory }: { withHistory: boolean }): Promise<FeedPosition> => {
      const [row] = withHistory
        ? await db.$queryRaw<FeedPosition[]>`
            SELECT n AS rev, expired_rev AS "expiredRev", touches AS "callerVersion",
              config_touches AS "configVersion", concat_ws('-', epoch,
              substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8),
              (SELECT oid FROM pg_database WHERE datname = current_database())) AS epoch
            FROM feed_counter`
        : await db.$queryRaw<FeedPosition[]>`
            SELECT n AS rev, expired_rev AS "expiredRev", touches AS "callerVersion",
              config_touches AS "configVersion", epoch::text FROM feed_counter`;
      if (row === undefined) throw new Error('the change feed has no counter');
      return row;
    }),

    /** The changes that follow a revision. */
    listAfter: guarded('feed.read', async (args: ListArgs): Promise<ConfigChangeRecord[]> => {
      const rows = await db.configChange.findMany({
        where: { rev: { gt: args.rev } },
        orderBy: { rev: 'asc' },
        take: args.limit,
        omit: { config: args.withConfigs === false },
      });
      return rows.map(({ kind, config, ...row }) => ({
        ...row,
        kind: kind as ConfigChangeRecord['kind'],
        config: config == null ? config : toConfigFromJson(config as Record<string, unknown>),
      }));
    }),

    /** Removes old changes. @returns how many were removed */
    removeBefore: guarded('feed.expire', async (args: { before: Date }): Promise<number> => {
      // Stop at the first change to keep: times can go backwards after a clock change, revisions cannot.
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
