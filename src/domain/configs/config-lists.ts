import type { McpServerConfigRecord, Page } from '../../data/records.ts';
import { type ConfigFilter, type ConfigPageArgs, toPlaceOf } from '../../data/repositories/config-repository.ts';
import type { Store } from '../../data/store.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { ConnectionService, McpServerState } from '../connections/connection-service.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { isStorable } from '../validation/text.ts';

/** Which configs to list. All given conditions must hold. */
export interface ConfigListFilter extends ConfigFilter {
  /** The state of the server for the viewer. */
  viewerState?: McpServerState | undefined;
}

/** A page of configs. By name if no order is given. */
export interface ConfigListArgs extends ConfigPageArgs {
  filter?: ConfigListFilter | undefined;
}

/** Configs are read in pieces of this size to find those in one state. */
const PIECE = 1_000;

/** Lists configs. */
export type ConfigLists = ReturnType<typeof createConfigLists>;

/** Creates the service. */
export function createConfigLists(options: {
  store: Store;
  experiments: ReadonlySet<Experiment>;
  connections: Pick<ConnectionService, 'listOwn' | 'serverState'>;
}) {
  const { store, experiments, connections } = options;

  /** The configs in one state for the viewer, in order. The database does not know states. */
  async function* findInState(viewer: Viewer, state: McpServerState, args: Omit<ConfigPageArgs, 'first'>) {
    const filter = narrow(args.filter, state);
    if (filter === undefined) return;
    for (let { after } = args; ; ) {
      const { rows, hasMore } = await store.configs.list(viewer, { ...args, filter, after, first: PIECE });
      const ids = rows.filter(({ authType }) => authType === 'oauth2').map(({ id }) => id);
      const own = await connections.listOwn(viewer, ids);
      for (const row of rows) if (connections.serverState(row, own.get(row.id)) === state) yield row;
      const last = rows.at(-1);
      if (!hasMore || last === undefined) return;
      after = toPlaceOf(last, args.order ?? 'name_asc');
    }
  }

  return {
    /** The configs that the viewer may see, by display name unless another order is given. */
    async list(viewer: Viewer, args: ConfigListArgs): Promise<Page<McpServerConfigRecord>> {
      assertCan(viewer, 'mcpServerConfig.list');
      assertExperiment(experiments, 'agents');
      if (isUnfindable(args.filter?.search)) return { rows: [], hasMore: false };
      const { filter: { viewerState, ...filter } = {}, ...rest } = args;
      if (viewerState === undefined) return store.configs.list(viewer, { ...rest, filter });
      const rows: McpServerConfigRecord[] = [];
      for await (const row of findInState(viewer, viewerState, { ...rest, filter })) {
        if (rows.length === args.first) return { rows, hasMore: true };
        rows.push(row);
      }
      return { rows, hasMore: false };
    },

    /** How many there are. */
    async count(viewer: Viewer, filter: ConfigListFilter = {}): Promise<number> {
      assertCan(viewer, 'mcpServerConfig.list');
      assertExperiment(experiments, 'agents');
      if (isUnfindable(filter.search)) return 0;
      const { viewerState, ...rest } = filter;
      if (viewerState === undefined) return store.configs.count(viewer, { filter: rest });
      let count = 0;
      for await (const _ of findInState(viewer, viewerState, { filter: rest })) count += 1;
      return count;
    },
  };
}

/** The filter with what the state says about stored columns. Undefined if nothing can match. */
function narrow(filter: ConfigFilter = {}, state: McpServerState): ConfigFilter | undefined {
  const enabled = state !== 'disabled';
  if (filter.enabled !== undefined && filter.enabled !== enabled) return undefined;
  if (state !== 'needs_connect' && state !== 'reconnect') return { ...filter, enabled };
  if (filter.authType !== undefined && filter.authType !== 'oauth2') return undefined;
  return { ...filter, enabled, authType: 'oauth2' };
}

/** PostgreSQL fails on text that it cannot store. No config contains such text, so nothing matches. */
function isUnfindable(text: string | undefined): boolean {
  return text !== undefined && !isStorable(text);
}
