import type { CacheStatus } from '../../cache/bounded-map.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import type { ConfigChangeRecord, McpServerConfigRecord } from '../records.ts';
import type { ConfigOrder } from '../repositories/config-repository.ts';
import { replaceIn, sortConfigs } from './config-order.ts';

/** All configs at one revision. */
export interface ConfigsAtRev {
  /** The newest change included. */
  rev: bigint;
  configs: McpServerConfigRecord[];
}

/** The configs in memory, at a known revision. */
export interface ConfigSnapshot {
  readonly rev: bigint;
  findById(id: string): McpServerConfigRecord | undefined;
  findBySlug(slug: string): McpServerConfigRecord | undefined;
  /** By display name unless another order is given. */
  all(order?: ConfigOrder): readonly McpServerConfigRecord[];
  /** The enabled configs, in the same order. */
  enabled(order?: ConfigOrder): readonly McpServerConfigRecord[];
}

/** Keeps the configs in memory and applies changes to them. @param load reads all configs at one revision */
export function createConfigSnapshots(load: () => Promise<ConfigsAtRev>) {
  let state: MutableSnapshot | undefined;
  let loading: Promise<MutableSnapshot> | undefined;
  /** Changes that arrived while the configs were being loaded. The loaded configs may or may not include them. */
  let meanwhile: ConfigChangeRecord[] = [];

  const startLoading = (): Promise<MutableSnapshot> => {
    meanwhile = [];
    const mine = load().then(
      (loaded) => {
        // `invalidate` was called while loading, so the loaded configs may be outdated.
        if (loading !== mine) return read();
        const snapshot = createSnapshot(loaded);
        for (const change of meanwhile) snapshot.apply(change);
        meanwhile = [];
        loading = undefined;
        state = snapshot;
        return snapshot;
      },
      (error: unknown) => {
        if (loading === mine) loading = undefined;
        throw error;
      },
    );
    return mine;
  };

  const read = (): Promise<MutableSnapshot> => {
    loading ??= startLoading();
    return loading;
  };

  return {
    /** The configs in memory. Loads them from the database if necessary. */
    get(): ConfigSnapshot | Promise<ConfigSnapshot> {
      return state ?? read();
    },

    status: (): CacheStatus => ({ ...CACHE_BOUNDS.configs, entries: state?.size() ?? 0, bytes: state?.bytes() ?? 0 }),

    apply(changes: readonly ConfigChangeRecord[]): void {
      if (state === undefined) {
        if (loading !== undefined) meanwhile.push(...changes);
        return;
      }
      for (const change of changes) state.apply(change);
    },

    /** Discards the configs. The next `get` loads them again. */
    invalidate(): void {
      state = undefined;
      loading = undefined;
    },
  };
}

/** What an entry of a sorted list takes. */
const BYTES_PER_PLACE = 8;

interface MutableSnapshot extends ConfigSnapshot {
  size(): number;
  bytes(): number;
  apply(change: ConfigChangeRecord): void;
}

function createSnapshot(loaded: ConfigsAtRev): MutableSnapshot {
  let { rev } = loaded;
  const byId = new Map<string, McpServerConfigRecord>();
  const bySlug = new Map<string, McpServerConfigRecord>();
  /** Sorted lists are built on first use. There is at most one for each order. */
  const all = new Map<ConfigOrder, readonly McpServerConfigRecord[]>();
  const enabled = new Map<ConfigOrder, readonly McpServerConfigRecord[]>();

  let bytes = 0;

  const remove = (id: string): McpServerConfigRecord | undefined => {
    const known = byId.get(id);
    if (known !== undefined) bytes -= estimateBytes(known);
    byId.delete(id);
    if (known !== undefined && bySlug.get(known.slug) === known) bySlug.delete(known.slug);
    return known;
  };
  /** @returns its former state */
  const put = (config: McpServerConfigRecord): McpServerConfigRecord | undefined => {
    const known = remove(config.id);
    byId.set(config.id, deepFreeze(config));
    bytes += estimateBytes(config);
    bySlug.set(config.slug, config);
    return known;
  };
  for (const config of loaded.configs) put(config);

  return {
    get rev() {
      return rev;
    },
    size: () => byId.size,
    bytes: () => bytes + (all.size + enabled.size) * byId.size * BYTES_PER_PLACE,
    findById: (id) => byId.get(id),
    findBySlug: (slug) => bySlug.get(slug),
    all(order = 'name_asc') {
      const sorted = all.get(order) ?? sortConfigs([...byId.values()], order);
      all.set(order, sorted);
      return sorted;
    },
    enabled(order = 'name_asc') {
      const sorted = enabled.get(order) ?? this.all(order).filter((config) => config.enabled);
      enabled.set(order, sorted);
      return sorted;
    },
    apply(change) {
      if (change.rev <= rev) return;
      if (change.config === undefined) throw new Error('the config of this change was not read');
      ({ rev } = change);
      if (change.kind === 'connection') return;
      const after = change.config ?? undefined;
      const before = after === undefined ? remove(change.configId) : put(after);
      replaceInAll(all, { before, after });
      const [wasShown, isShown] = [before, after].map((state) => (state?.enabled === true ? state : undefined));
      replaceInAll(enabled, { before: wasShown, after: isShown });
    },
  };
}

/** Puts a config in the place of its former state, in the lists of all orders. */
function replaceInAll(
  lists: Map<ConfigOrder, readonly McpServerConfigRecord[]>,
  states: Parameters<typeof replaceIn>[1],
): void {
  for (const [order, sorted] of lists) {
    const changed = replaceIn(sorted, states, order);
    // One that is not what it should be is made again.
    if (changed === undefined) lists.delete(order);
    else lists.set(order, changed);
  }
}

/** Freezes a config, because all readers share the same object. */
function deepFreeze(config: McpServerConfigRecord): McpServerConfigRecord {
  for (const value of Object.values(config)) if (Array.isArray(value)) Object.freeze(value);
  return Object.freeze(config);
}
