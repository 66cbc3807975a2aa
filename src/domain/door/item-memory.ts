import type { Caches } from '../../cache/caches.ts';
import type { ConfigChangeRecord, McpServerConfigRecord } from '../../data/records.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { ITEM_KINDS, type ItemKind, type UpstreamItem } from '../../mcp/list-items.ts';

const KINDS = Object.keys(ITEM_KINDS) as ItemKind[];

interface Kept {
  items: readonly UpstreamItem[];
  /** The version of the config that it was listed with. */
  version: number;
  bytes: number;
  /** By the clock. */
  until: number;
}

/** Keeps lists of resources, templates and prompts for a moment. */
export type ItemMemory = ReturnType<typeof createItemMemory>;

/**
 * Creates the memory. A list is of one server and version of its config, and of one user where the server knows its users.
 * Those who ask while a list is made share it.
 *
 * @param clock in milliseconds, for tests
 */
export function createItemMemory({
  caches,
  clock = () => performance.now(),
}: {
  caches: Caches;
  clock?: () => number;
}) {
  const cache = caches.createPromiseCache<string, Kept>(CACHE_BOUNDS.items, (key, { bytes }) => key.length + bytes);
  const toKey = (configId: string, owner: string, kind: ItemKind): string => `${configId} ${owner} ${kind}`;

  return {
    /**
     * Gives the list that is known, or makes it.
     *
     * @param list makes it; an empty one for a server that fails, so that it is left alone for a moment, too
     */
    async get(
      { config, userId, kind }: { config: McpServerConfigRecord; userId: string; kind: ItemKind },
      list: () => Promise<readonly UpstreamItem[]>,
    ): Promise<readonly UpstreamItem[]> {
      const { id, version, authType } = config;
      const key = toKey(id, authType === 'oauth2' ? userId : 'shared', kind);
      const known = cache.get(key);
      const kept = await known;
      if (kept !== undefined && kept.version === version && kept.until > clock()) return kept.items;
      const begun = cache.get(key);
      // Somebody else was here meanwhile. What they have begun is as new as what would begin now.
      if (begun !== undefined && begun !== known) return (await begun).items;
      const made = list().then((items) => {
        const bytes = items.reduce((sum, item) => sum + 2 * JSON.stringify(item).length, 0);
        return { items, version, bytes, until: clock() + MCP_LIMITS.itemMemory.value };
      });
      return (await cache.start(key, made)).items;
    },

    /** Forgets what another connection of a user may have shown, and the lists of servers that changed. */
    onChanges(changes: readonly Pick<ConfigChangeRecord, 'configId' | 'userId'>[]): void {
      for (const { configId, userId } of changes) {
        for (const kind of KINDS) cache.delete(toKey(configId, userId ?? 'shared', kind));
      }
    },
  };
}
