import type { CacheStatus } from '../../cache/bounded-map.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import type { ConfigChangeRecord, McpServerConfigRecord } from '../records.ts';

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
  /** Sorted by display name and id. */
  all(): readonly McpServerConfigRecord[];
  /** The enabled configs, in the same order. */
  enabled(): readonly McpServerConfigRecord[];
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

interface MutableSnapshot extends ConfigSnapshot {
  size(): number;
  bytes(): number;
  apply(change: ConfigChangeRecord): void;
}

function createSnapshot(loaded: ConfigsAtRev): MutableSnapshot {
  let { rev } = loaded;
  const byId = new Map<string, McpServerConfigRecord>();
  const bySlug = new Map<string, McpServerConfigRecord>();
  /** Sorted lists are built on first use. */
  let all: readonly McpServerConfigRecord[] | undefined;
  let enabled: readonly McpServerConfigRecord[] | undefined;

  let bytes = 0;

  const remove = (id: string): void => {
    const known = byId.get(id);
    if (known !== undefined) bytes -= estimateBytes(known);
    byId.delete(id);
    if (known !== undefined && bySlug.get(known.slug) === known) bySlug.delete(known.slug);
  };
  const put = (config: McpServerConfigRecord): void => {
    remove(config.id);
    byId.set(config.id, deepFreeze(config));
    bytes += estimateBytes(config);
    bySlug.set(config.slug, config);
  };
  for (const config of loaded.configs) put(config);

  return {
    get rev() {
      return rev;
    },
    size: () => byId.size,
    bytes: () => bytes,
    findById: (id) => byId.get(id),
    findBySlug: (slug) => bySlug.get(slug),
    all() {
      all ??= [...byId.values()].sort(compareConfigs);
      return all;
    },
    enabled() {
      enabled ??= this.all().filter((config) => config.enabled);
      return enabled;
    },
    apply(change) {
      if (change.rev <= rev) return;
      if (change.config === undefined) throw new Error('the config of this change was not read');
      ({ rev } = change);
      if (change.kind === 'connection') return;
      if (change.config === null) remove(change.configId);
      else put(change.config);
      all = undefined;
      enabled = undefined;
    },
  };
}

/** Freezes a config, because all readers share the same object. */
function deepFreeze(config: McpServerConfigRecord): McpServerConfigRecord {
  for (const value of Object.values(config)) if (Array.isArray(value)) Object.freeze(value);
  return Object.freeze(config);
}

/** A position in the list. */
type Place = Pick<McpServerConfigRecord, 'displayName' | 'id'>;

/** The order of the list: by code point, as in PostgreSQL's collation "C". */
export function compareConfigs(a: Place, b: Place): number {
  return compareCodePoints(a.displayName, b.displayName) || compareCodePoints(a.id, b.id);
}

/** JavaScript compares UTF-16 units, which would sort characters above U+FFFF before U+E000. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [unitA, unitB] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unitA !== unitB) return toRank(unitA) - toRank(unitB);
  }
  return a.length - b.length;
}

/** Ranks surrogates above all other units. */
function toRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
