import { can } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { McpServerConfigRecord, Page } from '../records.ts';
import {
  type ConfigFilter,
  type ConfigOrder,
  type ConfigPageArgs,
  type createConfigRepository,
  toPlace,
} from '../repositories/config-repository.ts';
import { guarded } from '../repositories/guarded.ts';
import { findStart } from './config-order.ts';
import type { ConfigSnapshot } from './config-snapshot.ts';

/** The config reads that are answered from memory. */
export type ConfigReads = Pick<
  ReturnType<typeof createConfigRepository>,
  'list' | 'count' | 'findById' | 'findBySlug' | 'listForChats' | 'listVisible'
>;

/** Answers the repository's reads from the configs in memory, with the same access rules and the same order. */
export function createConfigReads(snapshot: () => Promise<ConfigSnapshot>): ConfigReads {
  return {
    list: guarded(
      'mcpServerConfig.list',
      async (args: ConfigPageArgs, viewer): Promise<Page<McpServerConfigRecord>> => {
        const { after, order = 'name_asc' } = args;
        const found = select(await snapshot(), viewer, args.filter, order);
        const start = after === undefined ? 0 : findStart(found, toPlace(after), order);
        const end = start + args.first;
        return { rows: found.slice(start, end), hasMore: found.length > end };
      },
    ),

    count: guarded(
      'mcpServerConfig.list',
      async (args: { filter?: ConfigFilter | undefined }, viewer) =>
        select(await snapshot(), viewer, args.filter).length,
    ),

    findById: guarded('mcpServerConfig.read', async (args: { id: string }, viewer) =>
      ifVisible((await snapshot()).findById(args.id.toLowerCase()), viewer),
    ),

    findBySlug: guarded('mcpServerConfig.read', async (args: { slug: string }, viewer) =>
      ifVisible((await snapshot()).findBySlug(args.slug), viewer),
    ),

    listVisible: guarded('mcpServerConfig.list', async (_args: Record<never, never>, viewer) => [
      ...select(await snapshot(), viewer),
    ]),

    listForChats: guarded(
      'mcpServerConfig.list',
      async (args: { ids: readonly string[] }): Promise<McpServerConfigRecord[]> => {
        const ids = new Set(args.ids);
        const enabled = (await snapshot()).enabled();
        return enabled.filter(({ id, availability }) => availability === 'force_on' || ids.has(id));
      },
    ),
  };
}

function ifVisible(config: McpServerConfigRecord | undefined, viewer: Viewer): McpServerConfigRecord | null {
  return config !== undefined && can(viewer, 'mcpServerConfig.read', { enabled: config.enabled }) ? config : null;
}

/** The configs that match the filter and that the viewer may see, in order. */
function select(
  snapshot: ConfigSnapshot,
  viewer: Viewer,
  filter: ConfigFilter = {},
  order?: ConfigOrder,
): readonly McpServerConfigRecord[] {
  const seesAll = can(viewer, 'mcpServerConfig.read', { enabled: false });
  const visible = seesAll ? snapshot.all(order) : snapshot.enabled(order);
  const { enabled, authType, availability } = filter;
  const search = filter.search?.toLowerCase();
  if (enabled === undefined && authType === undefined && availability === undefined && search === undefined) {
    return visible;
  }
  return visible.filter(
    (config) =>
      (enabled === undefined || config.enabled === enabled) &&
      (authType === undefined || config.authType === authType) &&
      (availability === undefined || config.availability === availability) &&
      (search === undefined ||
        config.displayName.toLowerCase().includes(search) ||
        config.slug.toLowerCase().includes(search)),
  );
}
