import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type { McpReachabilityRecord, McpToolRecord, McpToolStatus, ToolApproval } from '../records.ts';
import { guarded } from './guarded.ts';
import { createImportedApprovalFunctions } from './imported-approvals.ts';
import { createToolListFunctions, type ToolListKey } from './tool-lists.ts';

/** The most tools that are compared by their looks at once. */
const MAX_ALIKE = MCP_LIMITS.lookAlikes.value;

/** Lists of some configs. */
interface ToolLists {
  configIds: readonly string[];
  userId: string | null;
}

/** A row to create. */
export type ToolColumns = Pick<McpToolRecord, 'name' | 'skeleton' | 'definition' | 'digest' | 'status'>;

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
    listApprovals: guarded(
      'mcpServerTool.readAny',
      (args: { configId: string }): Promise<ToolApproval[]> =>
        db.$queryRaw`
          SELECT DISTINCT name, approved_digest AS digest FROM mcp_server_tools
          WHERE mcp_server_config_id = ${args.configId}::uuid AND approved_digest IS NOT NULL`,
    ),

    /**
     * Applies the changes of one listing. Hold the list's lease. What was approved in another list of the server, by name
     * and digest, is approved in new rows, too.
     */
    apply: guarded(
      'mcpServerTool.write',
      async (
        args: ToolListKey & {
          inserts: readonly ToolColumns[];
          insertedAt: Date;
          updates: readonly (ToolChanges & { id: string })[];
          deletes: readonly string[];
        },
      ): Promise<void> => {
        const { configId, userId, inserts, insertedAt, updates, deletes } = args;
        if (deletes.length > 0) await db.mcpServerTool.deleteMany({ where: { id: { in: [...deletes] } } });
        if (inserts.length > 0) {
          await db.$executeRaw`
            INSERT INTO mcp_server_tools (id, mcp_server_config_id, user_id, name, skeleton, definition, digest, status,
              approved_digest, approved_at)
            SELECT gen_random_uuid(), ${configId}::uuid, ${userId}::uuid, t.name, t.skeleton, t.definition, t.digest,
              t.status, a.digest, CASE WHEN a.digest IS NULL THEN NULL ELSE ${insertedAt}::timestamptz END
            FROM json_to_recordset(${JSON.stringify(inserts)}::json)
              AS t (name text, skeleton text, definition text, digest text, status text)
            LEFT JOIN (
              SELECT DISTINCT name, approved_digest AS digest FROM mcp_server_tools
              WHERE mcp_server_config_id = ${configId}::uuid AND approved_digest IS NOT NULL
            ) a ON a.name = t.name AND a.digest = t.digest`;
        }
        if (updates.length > 0) {
          await db.$executeRaw`
            UPDATE mcp_server_tools t
            SET definition = u.definition, digest = u.digest, status = u.status, changed_at = u."changedAt",
              gone_at = u."goneAt", approved_definition = u."approvedDefinition"
            FROM json_to_recordset(${JSON.stringify(updates)}::json) AS u (id uuid, definition text, digest text,
              status text, "changedAt" timestamptz, "goneAt" timestamptz, "approvedDefinition" text)
            WHERE t.id = u.id`;
        }
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

    ...createToolListFunctions(db),

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

    /**
     * Writes what the last call found out, and holds the config until the transaction ends.
     *
     * @returns whether the config is there, in this version; otherwise nothing is written
     */
    saveReachability: guarded('mcpServerTool.write', async (args: McpReachabilityRecord & { version: number }) => {
      const { version, ...found } = args;
      const { configId, reachable, checkedAt, problem, latencyMs, protocolVersion, serverName, serverVersion } = found;
      const saved = await db.$executeRaw`
        INSERT INTO mcp_server_reachability (mcp_server_config_id, reachable, checked_at, problem, latency_ms,
          protocol_version, server_name, server_version, instructions)
        SELECT id, ${reachable}::boolean, ${checkedAt}::timestamptz, ${problem}::text, ${latencyMs}::int,
          ${protocolVersion}::text, ${serverName}::text, ${serverVersion}::text, ${found.instructions}::text
        FROM mcp_server_configs WHERE id = ${configId}::uuid AND version = ${version}::int FOR SHARE
        ON CONFLICT (mcp_server_config_id) DO UPDATE SET reachable = EXCLUDED.reachable,
          checked_at = EXCLUDED.checked_at, problem = EXCLUDED.problem, latency_ms = EXCLUDED.latency_ms,
          protocol_version = EXCLUDED.protocol_version, server_name = EXCLUDED.server_name,
          server_version = EXCLUDED.server_version, instructions = EXCLUDED.instructions`;
      return saved > 0;
    }),
  };
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
