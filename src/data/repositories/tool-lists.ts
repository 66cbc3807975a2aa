import type { PrismaStore } from '../database/prisma.ts';
import { Prisma } from '../generated/client.ts';
import type { McpToolListRecord } from '../records.ts';
import { guarded } from './guarded.ts';

/** A list of tools: of a server for everybody, or for one user. */
export interface ToolListKey {
  configId: string;
  /** Null for the shared list. */
  userId: string | null;
}

/** What a listing writes of its list. What is absent stays as it was. */
export type SavedList = Pick<McpToolListRecord, 'staleAt'> &
  Partial<Pick<McpToolListRecord, 'listedAt' | 'leftOut' | 'listedById'>>;

/** What a listing leaves behind, apart from the tools. */
interface SavedListing extends ToolListKey {
  listing: SavedList;
  leaseId?: string | undefined;
  ownStaleAt?: Date | undefined;
}

const COLUMNS = Prisma.sql`l.mcp_server_config_id::text AS "configId", l.user_id::text AS "userId",
  l.listed_by::text AS "listedById", l.listed_at AS "listedAt", l.stale_at AS "staleAt", l.attempted_at AS "attemptedAt",
  l.left_out AS "leftOut", EXISTS (SELECT 1 FROM mcp_server_imported_approvals a
    WHERE a.mcp_server_config_id = l.mcp_server_config_id) AS "hasImported"`;

/**
 * When servers' tools were listed, and who lists or hears them. Written as SQL: each listing does all of this, and many
 * servers may be listed at once.
 */
export function createToolListFunctions(db: PrismaStore) {
  return {
    /** Those of the given lists that exist. */
    findLists: guarded(
      'mcpServerTool.readAny',
      ({ keys }: { keys: readonly ToolListKey[] }): Promise<McpToolListRecord[]> => {
        const shared = keys.filter(({ userId }) => userId === null);
        const own = keys.filter(({ userId }) => userId !== null);
        return db.$queryRaw`
          SELECT ${COLUMNS} FROM mcp_server_tool_lists l
          WHERE l.user_id IS NULL AND l.mcp_server_config_id = ANY (${shared.map(({ configId }) => configId)}::uuid[])
          UNION ALL
          SELECT ${COLUMNS} FROM mcp_server_tool_lists l
          JOIN unnest(${own.map(({ configId }) => configId)}::uuid[], ${own.map(({ userId }) => userId)}::uuid[])
            AS k (config_id, user_id) ON l.mcp_server_config_id = k.config_id AND l.user_id = k.user_id
          WHERE l.user_id IS NOT NULL`;
      },
    ),

    /**
     * Takes the right to list, so that many replicas list once. Creates the list's row if necessary. A list that was never
     * stale becomes so when the lease ends: whoever has it may fail, or end, and write nothing.
     *
     * @param args.since what made the listing necessary: a listing that began later is enough. Null: none is
     * @returns whether nobody lists, and nobody has listed since
     */
    takeLease: guarded(
      'mcpServerTool.write',
      async (args: ToolListKey & { leaseId: string; seconds: number; since: Date | null }): Promise<boolean> => {
        const { leaseId, seconds, since } = args;
        const taken = await db.$executeRaw`
          INSERT INTO mcp_server_tool_lists AS l
            (id, mcp_server_config_id, user_id, lease_id, lease_until, stale_at, attempted_at)
          SELECT gen_random_uuid(), c.id, ${args.userId}::uuid, ${leaseId}::uuid,
            clock_timestamp() + make_interval(secs => ${seconds}::float8),
            clock_timestamp() + make_interval(secs => ${seconds}::float8), clock_timestamp()
          ${ofExisting(args)}
          DO UPDATE SET lease_id = EXCLUDED.lease_id, attempted_at = clock_timestamp(),
            lease_until = clock_timestamp() + make_interval(secs => ${seconds}::float8),
            stale_at = COALESCE(l.stale_at, EXCLUDED.stale_at)
          WHERE (l.lease_until IS NULL OR l.lease_until < clock_timestamp())
            AND (l.attempted_at IS NULL OR ${since}::timestamptz IS NULL OR l.attempted_at < ${since})`;
        return taken > 0;
      },
    ),

    /** Locks a list until the transaction ends, so that two listings do not write to it at once. */
    lockList: guarded('mcpServerTool.write', async (args: ToolListKey): Promise<McpToolListRecord | null> => {
      const known = await lockExisting(db, args);
      if (known !== null) return known;
      await db.$executeRaw`
        INSERT INTO mcp_server_tool_lists (id, mcp_server_config_id, user_id)
        SELECT gen_random_uuid(), c.id, ${args.userId}::uuid ${ofExisting(args)} DO NOTHING`;
      return lockExisting(db, args);
    }),

    /**
     * Writes when a list was listed, or when to try again.
     *
     * @param args.leaseId ends with it
     * @param args.ownStaleAt when all users' own lists of the server become stale: they are listed again when they are used
     */
    saveList: guarded('mcpServerTool.write', async (args: SavedListing): Promise<void> => {
      const { listing, leaseId = null, ownStaleAt } = args;
      const { staleAt, listedAt = null, leftOut = null, listedById } = listing;
      const own = Prisma.sql`
          WITH own AS (
            UPDATE mcp_server_tool_lists SET stale_at = ${ownStaleAt}::timestamptz
            WHERE mcp_server_config_id = ${args.configId}::uuid AND user_id IS NOT NULL
          )`;
      await db.$executeRaw`
          ${ownStaleAt === undefined ? Prisma.empty : own}
          UPDATE mcp_server_tool_lists
          SET stale_at = ${staleAt}::timestamptz, listed_at = COALESCE(${listedAt}::timestamptz, listed_at),
            left_out = COALESCE(${leftOut}::int, left_out),
            listed_by = CASE WHEN ${listedById !== undefined} THEN ${listedById ?? null}::uuid ELSE listed_by END,
            lease_id = CASE WHEN lease_id = ${leaseId}::uuid THEN NULL ELSE lease_id END,
            lease_until = CASE WHEN lease_id = ${leaseId}::uuid THEN NULL ELSE lease_until END
          WHERE ${isOf(args)}`;
    }),

    endLease: guarded('mcpServerTool.write', async (args: ToolListKey & { leaseId: string }): Promise<void> => {
      await db.$executeRaw`
        UPDATE mcp_server_tool_lists SET lease_id = NULL, lease_until = NULL
        WHERE ${isOf(args)} AND lease_id = ${args.leaseId}::uuid`;
    }),

    /**
     * Takes the right to hear from a server that its tools changed, so that of many replicas one does.
     *
     * @returns whether nobody else has it
     */
    takeListener: guarded(
      'mcpServerTool.write',
      async (args: { configId: string; listenerId: string; seconds: number }): Promise<boolean> => {
        const { configId, listenerId, seconds } = args;
        const taken = await db.$executeRaw`
          INSERT INTO mcp_server_tool_lists AS l (id, mcp_server_config_id, listener_id, listener_until)
          SELECT gen_random_uuid(), c.id, ${listenerId}::uuid,
            clock_timestamp() + make_interval(secs => ${seconds}::float8)
          ${ofExisting({ configId, userId: null })}
          DO UPDATE SET listener_id = EXCLUDED.listener_id, listener_until = EXCLUDED.listener_until
          WHERE l.listener_until IS NULL OR l.listener_until < clock_timestamp() OR l.listener_id = EXCLUDED.listener_id`;
        return taken > 0;
      },
    ),

    endListener: guarded(
      'mcpServerTool.write',
      async (args: { configId: string; listenerId: string }): Promise<void> => {
        const { configId, listenerId } = args;
        await db.$executeRaw`
          UPDATE mcp_server_tool_lists SET listener_id = NULL, listener_until = NULL
          WHERE mcp_server_config_id = ${configId}::uuid AND listener_id = ${listenerId}::uuid`;
      },
    ),
  };
}

function isOf({ configId, userId }: ToolListKey): Prisma.Sql {
  const owner = userId === null ? Prisma.sql`user_id IS NULL` : Prisma.sql`user_id = ${userId}::uuid`;
  return Prisma.sql`mcp_server_config_id = ${configId}::uuid AND ${owner}`;
}

/** Nothing, if the config or the user does not exist. What follows says what happens if the row does. */
function ofExisting({ configId, userId }: ToolListKey): Prisma.Sql {
  return userId === null
    ? Prisma.sql`FROM mcp_server_configs c WHERE c.id = ${configId}::uuid
        ON CONFLICT (mcp_server_config_id) WHERE user_id IS NULL`
    : Prisma.sql`FROM mcp_server_configs c
        WHERE c.id = ${configId}::uuid AND EXISTS (SELECT 1 FROM users WHERE id = ${userId}::uuid)
        ON CONFLICT (mcp_server_config_id, user_id) WHERE user_id IS NOT NULL`;
}

async function lockExisting(db: PrismaStore, key: ToolListKey): Promise<McpToolListRecord | null> {
  const [row] = await db.$queryRaw<McpToolListRecord[]>`
    SELECT ${COLUMNS} FROM mcp_server_tool_lists l WHERE ${isOf(key)} FOR UPDATE OF l`;
  return row ?? null;
}
