import type { PrismaStore } from '../database/prisma.ts';
import type { ToolApproval } from '../records.ts';
import { guarded } from './guarded.ts';

/** Approvals that were imported, of tools that their servers do not list like that yet. */
export function createImportedApprovalFunctions(db: PrismaStore) {
  return {
    /** The approvals that wait at a server. */
    listImportedApprovals: guarded(
      'mcpServerTool.readAny',
      (args: { configId: string }): Promise<ToolApproval[]> =>
        db.mcpServerImportedApproval.findMany({
          where: { mcpServerConfigId: args.configId },
          select: { name: true, digest: true },
          orderBy: [{ name: 'asc' }, { digest: 'asc' }],
        }),
    ),

    /** All approvals at some servers, also those that wait, each once, by name and digest. */
    listAllApprovals: guarded(
      'mcpServerConfig.export',
      (args: { configIds: readonly string[] }): Promise<(ToolApproval & { configId: string })[]> =>
        db.$queryRaw`
          SELECT mcp_server_config_id::text AS "configId", name, approved_digest AS digest FROM mcp_server_tools
          WHERE mcp_server_config_id = ANY (${[...args.configIds]}::uuid[]) AND approved_digest IS NOT NULL
          UNION
          SELECT mcp_server_config_id::text, name, digest FROM mcp_server_imported_approvals
          WHERE mcp_server_config_id = ANY (${[...args.configIds]}::uuid[])
          ORDER BY 1, 2, 3`,
    ),

    /** Adds approvals, which wait until `settleImported`. Those that wait already stay as they are. */
    importApprovals: guarded(
      'mcpServerTool.approve',
      async (args: {
        configId: string;
        approvals: readonly ToolApproval[];
        approvedById: string | null;
        approvedAt: Date;
      }): Promise<void> => {
        const { configId: mcpServerConfigId, approvals, approvedById, approvedAt } = args;
        const data = approvals.map(({ name, digest }) => ({
          mcpServerConfigId,
          name,
          digest,
          approvedById,
          approvedAt,
        }));
        await db.mcpServerImportedApproval.createMany({ data, skipDuplicates: true });
      },
    ),

    /**
     * Approves the tools that are listed as an approval that waits says, and ends its waiting.
     *
     * @returns the approvals that count now
     */
    settleImported: guarded(
      'mcpServerTool.write',
      ({ configId }: { configId: string }): Promise<ToolApproval[]> =>
        db.$queryRaw`
          WITH approved AS (
            UPDATE mcp_server_tools t
            SET approved_digest = a.digest, approved_definition = NULL, approved_by = a.approved_by,
                approved_at = a.approved_at
            FROM mcp_server_imported_approvals a
            WHERE t.mcp_server_config_id = ${configId}::uuid AND a.mcp_server_config_id = t.mcp_server_config_id
              AND a.name = t.name AND a.digest = t.digest AND t.status = 'listed'
              AND t.approved_digest IS DISTINCT FROM a.digest
          )
          DELETE FROM mcp_server_imported_approvals a
          WHERE a.mcp_server_config_id = ${configId}::uuid AND EXISTS (
            SELECT 1 FROM mcp_server_tools t
            WHERE t.mcp_server_config_id = a.mcp_server_config_id AND t.name = a.name AND t.digest = a.digest
              AND t.status = 'listed')
          RETURNING a.name, a.digest`,
    ),
  };
}
