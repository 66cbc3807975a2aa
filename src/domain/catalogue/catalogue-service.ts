import { setTimeout as delay } from 'node:timers/promises';
import type { McpReachabilityRecord, McpServerConfigRecord, McpToolRecord, ToolApproval } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { notFound, validationFailed } from '../../errors.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { assertCan, can } from '../../policy/policy.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import type { UserRates } from '../shares/user-rates.ts';
import type { CatalogueTool } from './catalogue-tool.ts';
import type { NeededListings } from './list-when-needed.ts';
import { createToolDecisions, type DecidedTool } from './tool-decision.ts';
import type { ListingResult, ToolListings } from './tool-listing.ts';

const WHAT = 'MCP server config';
/** The most tools that can be approved at once: as many as a server may have. */
const MAX_APPROVED = MCP_LIMITS.approved.value;
/** How long `refresh` waits for a listing of another replica. */
const WAIT_MS = 15_000;
const LOOK_MS = 200;
/** Why a user's own connection lists nothing. Nothing was sent. */
const UNCONNECTED: ReadonlySet<string> = new Set(['NEEDS_CONNECT', 'RECONNECT']);

/** What `refresh` did. */
export interface RefreshResult {
  config: McpServerConfigRecord;
  /** The code of the problem. Null if the tools were listed. */
  problem: string | null;
  /** The number of tools that were approved, because it was the first list of a config that pins its tools. */
  approvedCount: number;
}

/** Reads, refreshes and approves the tools of servers. */
export type CatalogueService = ReturnType<typeof createCatalogueService>;

/** Creates the service. */
export function createCatalogueService(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  listings: ToolListings;
  needed: NeededListings;
  userRates: Pick<UserRates, 'admitServerCheck'>;
  now: () => Date;
}) {
  const { store, experiments, listings, needed, userRates, now } = options;

  const decide = createToolDecisions();

  const readDecided = async (
    configs: readonly McpServerConfigRecord[],
    userId: string | null,
  ): Promise<Map<string, readonly DecidedTool[]>> => {
    const configIds = configs.map(({ id }) => id);
    const personalIds = configs.filter(({ authType }) => authType === 'oauth2').map(({ id }) => id);
    const [sharedOf, ownOf] = await Promise.all([
      store.tools.listByConfig(SYSTEM, { configIds, userId: null }),
      userId === null || personalIds.length === 0
        ? new Map<string, readonly McpToolRecord[]>()
        : store.tools.listByConfig(SYSTEM, { configIds: personalIds, userId }),
    ]);
    return new Map(configs.map((config) => [config.id, decide(config, sharedOf.get(config.id), ownOf.get(config.id))]));
  };

  const listNow = async (configId: string, userId: string | null): Promise<ListingResult> => {
    for (let waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
      const result = await listings.list({ configId, userId }, null);
      if (result.kind !== 'elsewhere') return result;
      // Somebody else is listing.
      await delay(LOOK_MS);
    }
    return { kind: 'failed', problem: 'TIMEOUT' };
  };

  /** Finds out whether the server answers at all. @returns why it lists nothing, as far as is known now */
  const knock = async (configId: string, problem: string): Promise<string> => {
    const result = await listNow(configId, null);
    return result.kind === 'failed' && !UNCONNECTED.has(result.problem) ? result.problem : problem;
  };

  return {
    /** The tools of some configs for one user, with the decisions. For the gateway itself; marks them as used. */
    async toolsOfUser(configs: readonly McpServerConfigRecord[], userId: string | null) {
      for (const { id, authType, enabled } of configs) {
        if (!enabled) continue;
        needed.use({ configId: id, userId: null }, authType !== 'oauth2');
        if (authType === 'oauth2' && userId !== null) needed.use({ configId: id, userId });
      }
      return readDecided(configs, userId);
    },

    /** The tools of some configs as the viewer has them: staff see all with the decisions, members what they may use. */
    async listTools(
      viewer: Viewer,
      configs: readonly McpServerConfigRecord[],
    ): Promise<Map<string, readonly DecidedTool[]>> {
      assertCan(viewer, 'mcpServerTool.list');
      const decided = await this.toolsOfUser(configs, viewerUserId(viewer) ?? null);
      if (can(viewer, 'mcpServerTool.readAny')) return decided;
      return new Map(
        [...decided].map(([id, tools]) => [id, tools.filter(({ decision }) => decision === 'allowed')] as const),
      );
    },

    /** Whether a tool of another server has a different name that looks the same. For members, always false. */
    async findLookAlikes(viewer: Viewer, tools: readonly CatalogueTool[]): Promise<boolean[]> {
      if (!can(viewer, 'mcpServerTool.readAny')) return tools.map(() => false);
      const skeletons = [...new Set(tools.map(({ tool }) => tool.skeleton))];
      const alike = await store.tools.listAlike(viewer, { skeletons });
      return tools.map(({ tool: { skeleton, name, configId } }) =>
        alike.some((each) => each.skeleton === skeleton && each.name !== name && each.configId !== configId),
      );
    },

    /** What is known of the servers' reachability, by config. Servers that were never called are omitted. */
    async listReachability(configIds: readonly string[]): Promise<Map<string, McpReachabilityRecord>> {
      const found = await store.tools.listReachability(SYSTEM, { configIds });
      return new Map(found.map((each) => [each.configId, each]));
    },

    /**
     * Lists the tools of a server now: with the admin's own connection, if it has connections. The first list of a
     * config that pins its tools is approved in the same step.
     *
     * @throws FORBIDDEN, NOT_FOUND, RATE_LIMITED
     */
    async refresh(viewer: Viewer, configId: string): Promise<RefreshResult> {
      assertCan(viewer, 'mcpServerTool.refresh');
      assertExperiment(experiments, 'agents');
      const found = await store.configs.findById(viewer, { id: configId });
      if (found === null) throw notFound(WHAT);
      await userRates.admitServerCheck(viewer);
      const userId = found.authType === 'oauth2' ? (viewerUserId(viewer) ?? null) : null;
      const result = await listNow(configId, userId);
      const own = result.kind === 'failed' ? result.problem : null;
      const problem = own !== null && userId !== null && UNCONNECTED.has(own) ? await knock(configId, own) : own;
      return store.transaction(async (tx) => {
        const config = await tx.configs.lock(viewer, { id: configId });
        if (config === null) throw notFound(WHAT);
        const approvedCount = problem === null ? await approveFirst(tx, viewer, config, now()) : 0;
        await tx.audit.append(SYSTEM, {
          actor: viewer,
          action: 'mcpServerTools.refresh',
          outcome: problem === null ? 'success' : 'failed',
          target: toConfigTarget(config),
          reason: problem ?? undefined,
        });
        return { config, problem, approvedCount };
      });
    },

    /**
     * Approves tools as the caller saw them.
     *
     * @throws FORBIDDEN, NOT_FOUND, VALIDATION_FAILED with each tool that is not listed with this digest; then none is
     *   approved
     */
    async approve(viewer: Viewer, args: { configId: string; tools: readonly ToolApproval[] }) {
      assertCan(viewer, 'mcpServerTool.approve');
      assertExperiment(experiments, 'agents');
      const { configId, tools } = args;
      checkNumber(tools);
      return store.transaction(async (tx) => {
        const config = await tx.configs.lock(viewer, { id: configId });
        if (config === null) throw notFound(WHAT);
        const approved = new Set(await approveAll(tx, viewer, { configId, tools, approvedAt: now() }));
        const missing = tools.flatMap(({ name }, index) => (approved.has(name) ? [] : [index]));
        if (missing.length > 0) throw notAsSeen(missing);
        await tx.audit.append(SYSTEM, {
          actor: viewer,
          action: 'mcpServerTools.approve',
          target: toConfigTarget(config),
          changes: tools.map(({ name, digest }) => ({ field: name, before: null, after: digest })),
        });
        return config;
      });
    },
  };
}

type Tx = Parameters<Parameters<Store['transaction']>[0]>[0];

/** Approves all tools, if none was ever approved, by import either, and the config pins them. */
async function approveFirst(tx: Tx, viewer: Viewer, config: McpServerConfigRecord, approvedAt: Date): Promise<number> {
  if (config.toolApproval !== 'pin') return 0;
  if ((await tx.tools.listApprovals(SYSTEM, { configId: config.id })).length > 0) return 0;
  if ((await tx.tools.listImportedApprovals(SYSTEM, { configId: config.id })).length > 0) return 0;
  const rows = await tx.tools.list(SYSTEM, { configIds: [config.id], userId: null });
  const tools = rows.filter(({ status }) => status === 'listed').map(({ name, digest }) => ({ name, digest }));
  return (await approveAll(tx, viewer, { configId: config.id, tools, approvedAt })).length;
}

function approveAll(
  tx: Tx,
  viewer: Viewer,
  args: { configId: string; tools: readonly ToolApproval[]; approvedAt: Date },
): Promise<string[]> {
  return tx.tools.approve(viewer, { ...args, approvedById: viewerUserId(viewer) ?? null });
}

function checkNumber(tools: readonly ToolApproval[]): void {
  const message =
    tools.length === 0 ? 'Name at least one tool.' : `At most ${MAX_APPROVED} tools can be approved at once.`;
  if (tools.length > 0 && tools.length <= MAX_APPROVED) return;
  throw validationFailed([{ path: ['tools'], code: tools.length === 0 ? 'REQUIRED' : 'TOO_MANY', message }]);
}

function notAsSeen(indexes: readonly number[]) {
  const message = 'The server lists no such tool with this digest. Look at its present definition, then approve that.';
  return validationFailed(indexes.map((index) => ({ path: ['tools', index], code: 'NOT_AS_SEEN', message })));
}
