import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type {
  McpReachabilityRecord,
  McpToolListRecord,
  McpToolRecord,
  McpToolStatus,
  ToolApproval,
} from '../records.ts';
import { guarded } from './guarded.ts';
import { createImportedApprovalFunctions } from './imported-approvals.ts';

/** The most tools that are compared by their looks at once. */
const MAX_ALIKE = MCP_LIMITS.lookAlikes.value;

/** A list of tools: of a server for everybody, or for one user. */
export interface ToolListKey {
  configId: string;
  /** Null for the shared list. */
  userId: string | null;
}

/** Lists of some configs. */
interface ToolLists {
  configIds: readonly string[];
  userId: string | null;
}

/** A row to create. */
export type ToolColumns = Omit<McpToolRecord, 'id' | 'configId' | 'userId' | 'firstSeenAt' | 'changedAt' | 'goneAt'>;

/** What changes of a row. */
export type ToolChanges = Pick<
  McpToolRecord,
  'definition' | 'digest' | 'status' | 'changedAt' | 'goneAt' | 'approvedDefinition'
>;

/** The tools of servers, when they were listed, and whether the servers answer. */
export function createToolRepository(db: PrismaStore) {
  return {
    /** The shared rows of the given configs and, for a user, their own rows, by name. */
    list: guarded('mcpServerTool.readAny', (args: ToolLists) => listTools(db, args)),

    /** The same by config. Those without rows may be absent. From memory, each array stays the same until it changes. */
    listByConfig: guarded(
      'mcpServerTool.readAny',
      async (args: ToolLists): Promise<ReadonlyMap<string, readonly McpToolRecord[]>> =>
        groupByConfig(await listTools(db, args)),
    ),

    /** All that was approved at a server: names and digests. */
    listApprovals: guarded('mcpServerTool.readAny', async (args: { configId: string }): Promise<ToolApproval[]> => {
      const rows = await db.mcpServerTool.findMany({
        where: { mcpServerConfigId: args.configId, approvedDigest: { not: null } },
        select: { name: true, approvedDigest: true },
        distinct: ['name', 'approvedDigest'],
      });
      return rows.map(({ name, approvedDigest }) => ({ name, digest: approvedDigest ?? '' }));
    }),

    /** Applies the changes of one listing. Hold the list's lease. */
    apply: guarded(
      'mcpServerTool.write',
      async (
        args: ToolListKey & {
          inserts: readonly ToolColumns[];
          updates: readonly (ToolChanges & { id: string })[];
          deletes: readonly string[];
        },
      ): Promise<void> => {
        const { configId, userId, inserts, updates, deletes } = args;
        if (deletes.length > 0) await db.mcpServerTool.deleteMany({ where: { id: { in: [...deletes] } } });
        if (inserts.length > 0) {
          const data = inserts.map((columns) => ({ ...columns, mcpServerConfigId: configId, userId }));
          await db.mcpServerTool.createMany({ data });
        }
        for (const { id, ...data } of updates) await db.mcpServerTool.update({ where: { id }, data });
      },
    ),

    /**
     * Approves tools as they are: rows whose digest is no longer the given one stay as they were.
     *
     * @returns the names that were approved
     */
    approve: guarded(
      'mcpServerTool.approve',
      async (args: {
        configId: string;
        tools: readonly ToolApproval[];
        approvedById: string | null;
        approvedAt: Date;
      }): Promise<string[]> => {
        const { configId, tools, approvedById, approvedAt } = args;
        const approved: string[] = [];
        for (const { name, digest } of tools) {
          const { count } = await db.mcpServerTool.updateMany({
            where: { mcpServerConfigId: configId, name, digest, status: 'listed' },
            data: { approvedDigest: digest, approvedDefinition: null, approvedById, approvedAt },
          });
          if (count > 0) approved.push(name);
        }
        // What was imported for them is overtaken: an earlier definition that comes back is not approved by it.
        await db.mcpServerImportedApproval.deleteMany({
          where: { mcpServerConfigId: configId, name: { in: approved } },
        });
        return approved;
      },
    ),

    ...createImportedApprovalFunctions(db),

    /** The tools on shared lists whose names look like one of these, with their servers. */
    listAlike: guarded('mcpServerTool.readAny', async (args: { skeletons: readonly string[] }) => {
      const rows = await db.mcpServerTool.findMany({
        where: { skeleton: { in: [...args.skeletons] }, userId: null, status: 'listed' },
        select: { name: true, skeleton: true, mcpServerConfigId: true },
        orderBy: { firstSeenAt: 'asc' },
        take: MAX_ALIKE,
      });
      return rows.map(({ mcpServerConfigId: configId, ...row }) => ({ ...row, configId }));
    }),

    findList: guarded('mcpServerTool.readAny', (args: ToolListKey) => findList(db, args)),

    /**
     * Takes the right to list, so that many replicas list once. Creates the list's row if necessary.
     *
     * @param args.since what made the listing necessary: a listing that began later is enough. Null: none is
     * @returns whether nobody lists, and nobody has listed since
     */
    takeLease: guarded(
      'mcpServerTool.write',
      async (args: ToolListKey & { leaseId: string; seconds: number; since: Date | null }): Promise<boolean> => {
        const { configId, userId, leaseId, seconds, since } = args;
        await ensureList(db, args);
        const taken = await db.$executeRaw`
          UPDATE mcp_server_tool_lists
          SET lease_id = ${leaseId}::uuid, lease_until = clock_timestamp() + make_interval(secs => ${seconds}::float8),
              attempted_at = clock_timestamp()
          WHERE mcp_server_config_id = ${configId}::uuid AND user_id IS NOT DISTINCT FROM ${userId}::uuid
            AND (lease_until IS NULL OR lease_until < clock_timestamp())
            AND (attempted_at IS NULL OR ${since}::timestamptz IS NULL OR attempted_at < ${since})`;
        return taken > 0;
      },
    ),

    /** Locks a list until the transaction ends, so that two listings do not write to it at once. */
    lockList: guarded('mcpServerTool.write', async (args: ToolListKey): Promise<McpToolListRecord | null> => {
      await ensureList(db, args);
      const { configId, userId } = args;
      await db.$queryRaw`
        SELECT id FROM mcp_server_tool_lists
        WHERE mcp_server_config_id = ${configId}::uuid AND user_id IS NOT DISTINCT FROM ${userId}::uuid FOR UPDATE`;
      return findList(db, args);
    }),

    /** Locks the list's row, if the lease still holds, until the transaction ends. */
    holdLease: guarded('mcpServerTool.write', async (args: ToolListKey & { leaseId: string }): Promise<boolean> => {
      const { configId, userId, leaseId } = args;
      const rows = await db.$queryRaw<object[]>`
        SELECT id FROM mcp_server_tool_lists
        WHERE mcp_server_config_id = ${configId}::uuid AND user_id IS NOT DISTINCT FROM ${userId}::uuid
          AND lease_id = ${leaseId}::uuid
        FOR UPDATE`;
      return rows.length > 0;
    }),

    /** Writes when a list was listed, or when to try again. */
    saveList: guarded(
      'mcpServerTool.write',
      async (args: ToolListKey & { listing: Partial<Omit<McpToolListRecord, 'configId' | 'userId'>> }) => {
        const { configId, userId, listing } = args;
        await db.mcpServerToolList.updateMany({ where: { mcpServerConfigId: configId, userId }, data: listing });
      },
    ),

    /** Makes the users' own lists stale: they are listed again when they are used. */
    makeOwnListsStale: guarded('mcpServerTool.write', async (args: { configId: string; at: Date }) => {
      const where = { mcpServerConfigId: args.configId, userId: { not: null } };
      await db.mcpServerToolList.updateMany({ where, data: { staleAt: args.at } });
    }),

    endLease: guarded('mcpServerTool.write', async (args: ToolListKey & { leaseId: string }): Promise<void> => {
      const { configId, userId, leaseId } = args;
      await db.mcpServerToolList.updateMany({
        where: { mcpServerConfigId: configId, userId, leaseId },
        data: { leaseId: null, leaseUntil: null },
      });
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
        await ensureList(db, { configId, userId: null });
        const taken = await db.$executeRaw`
          UPDATE mcp_server_tool_lists
          SET listener_id = ${listenerId}::uuid,
              listener_until = clock_timestamp() + make_interval(secs => ${seconds}::float8)
          WHERE mcp_server_config_id = ${configId}::uuid AND user_id IS NULL
            AND (listener_until IS NULL OR listener_until < clock_timestamp() OR listener_id = ${listenerId}::uuid)`;
        return taken > 0;
      },
    ),

    endListener: guarded('mcpServerTool.write', async (args: { configId: string; listenerId: string }) => {
      const { configId, listenerId } = args;
      await db.mcpServerToolList.updateMany({
        where: { mcpServerConfigId: configId, listenerId },
        data: { listenerId: null, listenerUntil: null },
      });
    }),

    listReachability: guarded(
      'mcpServerTool.readAny',
      async (args: { configIds: readonly string[] }): Promise<McpReachabilityRecord[]> => {
        const where = { mcpServerConfigId: { in: [...args.configIds] } };
        const rows = await db.mcpServerReachability.findMany({ where });
        return rows.map(({ mcpServerConfigId: configId, ...row }) => ({ ...row, configId }));
      },
    ),

    /** The enabled configs that did not answer: all are counted, and the first by display name listed. */
    listUnreachable: guarded('gatewayStatus.read', async ({ first }: { first: number }) => {
      const where = { enabled: true, reachability: { is: { reachable: false } } };
      const count = await db.mcpServerConfig.count({ where });
      const orderBy = [{ displayName: 'asc' as const }, { id: 'asc' as const }];
      const rows = await db.mcpServerConfig.findMany({ where, orderBy, take: first, select: { id: true } });
      return { count, ids: rows.map(({ id }) => id) };
    }),

    /** Writes what the last call found out. Does nothing when the config is gone. */
    saveReachability: guarded('mcpServerTool.write', async ({ configId, ...found }: McpReachabilityRecord) => {
      await db.$queryRaw`SELECT id FROM mcp_server_configs WHERE id = ${configId}::uuid FOR KEY SHARE`;
      if ((await db.mcpServerConfig.count({ where: { id: configId } })) === 0) return;
      await db.mcpServerReachability.upsert({
        where: { mcpServerConfigId: configId },
        create: { ...found, mcpServerConfigId: configId },
        update: found,
      });
    }),
  };
}

/** Creates the row of a list, unless it exists, or its config or user does not. */
async function ensureList(db: PrismaStore, { configId, userId }: ToolListKey): Promise<void> {
  await db.$executeRaw`
    INSERT INTO mcp_server_tool_lists (id, mcp_server_config_id, user_id)
    SELECT gen_random_uuid(), c.id, ${userId}::uuid FROM mcp_server_configs c
    WHERE c.id = ${configId}::uuid
      AND (${userId}::uuid IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = ${userId}::uuid))
    ON CONFLICT DO NOTHING`;
}

async function findList(db: PrismaStore, { configId, userId }: ToolListKey): Promise<McpToolListRecord | null> {
  const row = await db.mcpServerToolList.findFirst({ where: { mcpServerConfigId: configId, userId } });
  return row === null ? null : toList(row);
}

async function listTools(db: PrismaStore, { configIds, userId }: ToolLists): Promise<McpToolRecord[]> {
  const where = { mcpServerConfigId: { in: [...configIds] }, userId };
  const rows = await db.mcpServerTool.findMany({ where, orderBy: { name: 'asc' } });
  return rows.map(toTool);
}

/** Puts rows together by their config, in their order. */
export function groupByConfig<Row extends { configId: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const byConfig = new Map<string, Row[]>();
  for (const row of rows) {
    const known = byConfig.get(row.configId);
    if (known === undefined) byConfig.set(row.configId, [row]);
    else known.push(row);
  }
  return byConfig;
}

function toTool(row: Prisma.McpServerToolGetPayload<object>): McpToolRecord {
  const { mcpServerConfigId: configId, status, ...rest } = row;
  // The CHECK constraint allows only these values.
  return { ...rest, configId, status: status as McpToolStatus };
}

function toList(row: Prisma.McpServerToolListGetPayload<object>): McpToolListRecord {
  const { mcpServerConfigId: configId, userId, listedById, listedAt, staleAt, attemptedAt, leftOut } = row;
  return { configId, userId, listedById, listedAt, staleAt, attemptedAt, leftOut };
}
