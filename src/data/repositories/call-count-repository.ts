import type { PrismaStore } from '../database/prisma.ts';
import type { Caller, CallHour, CallTotals } from '../records.ts';
import { guarded } from './guarded.ts';

/** How often the tools of servers were called, by the hour, and who called them last when. */
export function createCallCountRepository(db: PrismaStore) {
  return {
    /**
     * Adds counts to those of all replicas. Servers and users that were deleted are left out. All writers take the rows in
     * one order.
     */
    add: guarded(
      'mcpServerUsage.write',
      async ({ hours, callers }: { hours: readonly CallHour[]; callers: readonly Caller[] }): Promise<void> => {
        await db.$executeRaw`
          INSERT INTO mcp_server_call_hours AS h (mcp_server_config_id, hour, calls, errors, denied, durations)
          SELECT c.id, a.hour, a.calls, a.errors, a.denied, a.durations
          FROM jsonb_to_recordset(${JSON.stringify(hours)}::jsonb)
            AS a ("configId" uuid, hour timestamptz, calls int, errors int, denied int, durations int[])
          JOIN mcp_server_configs c ON c.id = a."configId"
          ORDER BY c.id, a.hour
          ON CONFLICT (mcp_server_config_id, hour) DO UPDATE SET
            calls = h.calls + EXCLUDED.calls, errors = h.errors + EXCLUDED.errors, denied = h.denied + EXCLUDED.denied,
            durations = ARRAY(
              SELECT COALESCE(t.kept, 0) + COALESCE(t.added, 0)
              FROM unnest(h.durations, EXCLUDED.durations) WITH ORDINALITY AS t (kept, added, step) ORDER BY t.step)`;
        await db.$executeRaw`
          INSERT INTO mcp_server_callers AS k (mcp_server_config_id, user_id, last_hour)
          SELECT c.id, u.id, a.hour
          FROM jsonb_to_recordset(${JSON.stringify(callers)}::jsonb) AS a ("configId" uuid, "userId" uuid, hour timestamptz)
          JOIN mcp_server_configs c ON c.id = a."configId" JOIN users u ON u.id = a."userId"
          ORDER BY c.id, u.id
          ON CONFLICT (mcp_server_config_id, user_id) DO UPDATE SET last_hour = EXCLUDED.last_hour
          WHERE k.last_hour < EXCLUDED.last_hour`;
      },
    ),

    /** What was counted since two hours began, with zeros where nothing was. At most what GraphQL's `Int` can be. */
    read: guarded(
      'mcpServerUsage.read',
      async (args: { configIds: readonly string[]; day: Date; week: Date }): Promise<CallTotals[]> => {
        const { day, week } = args;
        const configIds = [...args.configIds];
        const rows = await db.$queryRaw<TotalsRow[]>`
          WITH hours AS (
            SELECT mcp_server_config_id AS id, period.name, h.* FROM mcp_server_call_hours h
            JOIN (VALUES ('day', ${day}::timestamptz), ('week', ${week}::timestamptz)) AS period (name, since)
              ON h.hour >= period.since
            WHERE mcp_server_config_id = ANY (${configIds}::uuid[])
          ), sums AS (
            SELECT id, name, sum(calls) AS calls, sum(errors) AS errors, sum(denied) AS denied FROM hours GROUP BY id, name
          ), steps AS (
            SELECT id, name, t.step, sum(t.count) AS count
            FROM hours, unnest(durations) WITH ORDINALITY AS t (count, step) GROUP BY id, name, t.step
          ), callers AS (
            SELECT mcp_server_config_id AS id, count(*) FILTER (WHERE last_hour >= ${day}::timestamptz) AS day, count(*) AS week
            FROM mcp_server_callers
            WHERE mcp_server_config_id = ANY (${configIds}::uuid[]) AND last_hour >= ${week}::timestamptz GROUP BY id
          )
          SELECT s.id, s.name,
            LEAST(s.calls, 2147483647)::int AS calls, LEAST(s.errors, 2147483647)::int AS errors,
            LEAST(s.denied, 2147483647)::int AS denied,
            (COALESCE(CASE s.name WHEN 'day' THEN c.day ELSE c.week END, 0))::int AS users,
            ARRAY(SELECT t.count::float8 FROM steps t WHERE t.id = s.id AND t.name = s.name ORDER BY t.step) AS durations
          FROM sums s LEFT JOIN callers c ON c.id = s.id`;
        const found = new Map(rows.map(({ id, name, ...totals }) => [`${id} ${name}`, totals]));
        return configIds.map((configId) => ({
          configId,
          lastDay: found.get(`${configId} day`) ?? noCalls(),
          lastWeek: found.get(`${configId} week`) ?? noCalls(),
        }));
      },
    ),

    /** Removes what is older than an hour. */
    removeBefore: guarded('mcpServerUsage.write', async ({ hour }: { hour: Date }): Promise<void> => {
      await db.mcpServerCallHour.deleteMany({ where: { hour: { lt: hour } } });
      await db.mcpServerCaller.deleteMany({ where: { lastHour: { lt: hour } } });
    }),
  };
}

type Totals = CallTotals['lastDay'];

interface TotalsRow extends Totals {
  id: string;
  name: 'day' | 'week';
}

function noCalls(): Totals {
  return { calls: 0, errors: 0, denied: 0, users: 0, durations: [] };
}
