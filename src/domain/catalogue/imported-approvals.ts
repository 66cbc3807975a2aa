import type { ToolApproval } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { notFound, validationFailed } from '../../errors.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';

/** The approvals that may wait at one server. */
const MAX_WAITING = MCP_LIMITS.approved.value;

/** What imported approvals do at a server. */
export interface ApprovalsPreview {
  /** The names of tools that the server lists as they were approved, and that are not approved. */
  now: string[];
  /** The names of tools that it does not list like that: they count when it does. */
  later: string[];
}

/** Takes approvals from files. */
export type ImportedApprovals = ReturnType<typeof createImportedApprovals>;

/** Creates the service. An approval is of a digest: it never counts for a tool that is listed with another one. */
export function createImportedApprovals(options: { store: Store; now: () => Date }) {
  const { store, now } = options;

  return {
    /**
     * What an import would do. Stores nothing.
     *
     * @param configId undefined for a server that does not exist yet
     * @throws FORBIDDEN, VALIDATION_FAILED if too many would wait
     */
    async preview(
      viewer: Viewer,
      { configId, approvals }: { configId: string | undefined; approvals: readonly ToolApproval[] },
    ): Promise<ApprovalsPreview> {
      assertCan(viewer, 'mcpServerTool.approve');
      if (configId === undefined) return { now: [], later: approvals.map(({ name }) => name) };
      const [tools, known, waiting] = await Promise.all([
        store.tools.list(SYSTEM, { configIds: [configId], userId: null }),
        store.tools.listApprovals(SYSTEM, { configId }),
        store.tools.listImportedApprovals(SYSTEM, { configId }),
      ]);
      const done = new Set([...known, ...waiting].map(toKey));
      const listed = new Set(tools.filter(({ status }) => status === 'listed').map(toKey));
      const open = approvals.filter((each) => !done.has(toKey(each)));
      const later = open.filter((each) => !listed.has(toKey(each)));
      assertRoom(waiting.length + later.length);
      return {
        now: open.filter((each) => listed.has(toKey(each))).map(({ name }) => name),
        later: later.map(({ name }) => name),
      };
    },

    /**
     * Approves the tools that are listed with these digests, and remembers the other approvals until they are.
     *
     * @throws FORBIDDEN, NOT_FOUND, VALIDATION_FAILED if too many would wait
     */
    async apply(
      viewer: Viewer,
      { configId, approvals }: { configId: string; approvals: readonly ToolApproval[] },
    ): Promise<void> {
      assertCan(viewer, 'mcpServerTool.approve');
      await store.transaction(async (tx) => {
        const config = await tx.configs.lock(viewer, { id: configId });
        if (config === null) throw notFound('MCP server config');
        const known = new Set((await tx.tools.listApprovals(SYSTEM, { configId })).map(toKey));
        const open = approvals.filter((each) => !known.has(toKey(each)));
        if (open.length === 0) return;
        const approvedById = viewerUserId(viewer) ?? null;
        await tx.tools.importApprovals(viewer, { configId, approvals: open, approvedById, approvedAt: now() });
        const counting = new Set((await tx.tools.settleImported(SYSTEM, { configId })).map(toKey));
        const waiting = await tx.tools.listImportedApprovals(SYSTEM, { configId });
        assertRoom(waiting.length);
        const later = open.filter((each) => !counting.has(toKey(each))).length;
        await tx.audit.append(SYSTEM, {
          actor: viewer,
          action: 'mcpServerTools.approve',
          target: toConfigTarget(config),
          changes: open.map(({ name, digest }) => ({ field: name, before: null, after: digest })),
          reason: `Imported. ${later} of ${open.length} count when the server lists the tools like this.`,
        });
      });
    },
  };
}

function toKey({ name, digest }: ToolApproval): string {
  return `${digest} ${name}`;
}

function assertRoom(count: number): void {
  if (count <= MAX_WAITING) return;
  const message = `At most ${MAX_WAITING} approvals of tools that are not listed can wait at a server.`;
  throw validationFailed([{ path: ['approvedTools'], code: 'TOO_MANY', message }]);
}
