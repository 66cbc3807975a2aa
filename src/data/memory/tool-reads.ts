import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { ConfigChangeRecord, McpReachabilityRecord, McpToolRecord } from '../records.ts';
import { guarded } from '../repositories/guarded.ts';
import { type createToolRepository, groupByConfig } from '../repositories/tool-repository.ts';

type ToolRepository = ReturnType<typeof createToolRepository>;

/** The reads of tools and reachability that are answered from memory. */
export type ToolReads = Pick<ToolRepository, 'list' | 'listByConfig' | 'listReachability'>;

/** Caches the tools of each list, and the reachability of each server, until the feed says that they changed. */
export function createToolReads(stored: ToolRepository, fresh: () => Promise<void> | undefined, caches: Caches) {
  const lists = caches.createPromiseCache<string, readonly McpToolRecord[]>(
    CACHE_BOUNDS.tools,
    (key, tools) => estimateBytes(key) + estimateBytes(tools),
  );
  const reachability = caches.createPromiseCache<string, readonly McpReachabilityRecord[]>(
    CACHE_BOUNDS.reachability,
    (configId, found) => estimateBytes(configId) + estimateBytes(found),
  );

  const readLists = async ({ configIds, userId }: Parameters<ToolReads['list']>[1]) => {
    await fresh();
    return readEach(
      lists,
      configIds,
      (id) => toKey(id, userId),
      (missing) => stored.listByConfig(SYSTEM, { configIds: missing, userId }),
    );
  };

  const reads: ToolReads = {
    list: guarded('mcpServerTool.readAny', async (args) => [...(await readLists(args)).values()].flat()),

    listByConfig: guarded('mcpServerTool.readAny', readLists),

    listReachability: guarded('mcpServerTool.readAny', async ({ configIds }) => {
      await fresh();
      const found = await readEach(
        reachability,
        configIds,
        (id) => id,
        async (missing) => groupByConfig(await stored.listReachability(SYSTEM, { configIds: missing })),
      );
      return [...found.values()].flat();
    }),
  };

  return {
    reads,

    apply(changes: readonly ConfigChangeRecord[]): void {
      for (const { kind, configId, userId, changedColumns } of changes) {
        if (kind === 'deleted' || changedColumns.includes('tools')) lists.delete(toKey(configId, userId));
        if (kind === 'deleted' || changedColumns.includes('reachability')) reachability.delete(configId);
      }
    },

    invalidate(): void {
      lists.clear();
      reachability.clear();
    },
  };
}

/** A user's rows, or the shared ones. */
function toKey(configId: string, userId: string | null): string {
  return `${configId} ${userId ?? ''}`;
}

interface KnownLists<Row> {
  get(key: string): Promise<readonly Row[]> | undefined;
  start(key: string, rows: Promise<readonly Row[]>): Promise<readonly Row[]>;
}

/** Reads the rows of each config. Those that are not cached are loaded with one statement. */
async function readEach<Row>(
  known: KnownLists<Row>,
  configIds: readonly string[],
  toKeyOf: (configId: string) => string,
  load: (missing: readonly string[]) => Promise<ReadonlyMap<string, readonly Row[]>>,
): Promise<Map<string, readonly Row[]>> {
  const found = configIds.map((id) => ({ id, rows: known.get(toKeyOf(id)) }));
  const missing = found.filter(({ rows }) => rows === undefined).map(({ id }) => id);
  const loading = missing.length === 0 ? undefined : load(missing);
  const start = (id: string) =>
    known.start(
      toKeyOf(id),
      (loading ?? Promise.resolve(new Map<string, Row[]>())).then((all) => all.get(id) ?? []),
    );
  return new Map(await Promise.all(found.map(async ({ id, rows }) => [id, await (rows ?? start(id))] as const)));
}
