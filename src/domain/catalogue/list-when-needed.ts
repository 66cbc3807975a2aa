import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import type { ConfigChangeRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { ToolListKey } from '../../data/repositories/tool-repository.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import type { ToolListings } from './tool-listing.ts';

/** A list that is in use is looked at this often. */
const LOOK_MS = 30_000;

/** The columns that decide what a server answers: a change of one makes a new listing necessary. */
const COLUMNS: ReadonlySet<string> = new Set([
  'url',
  'transport',
  'auth_type',
  'api_key_header',
  'api_key_value',
  'custom_headers',
]);

/** Lists in the background what somebody needs. */
export type NeededListings = ReturnType<typeof createNeededListings>;

/** Creates the background listings of one process. `settle` waits for those that run. */
export function createNeededListings(options: {
  listings: ToolListings;
  caches: Caches;
  isOn: boolean;
  onError: (error: unknown) => void;
  now: () => Date;
}) {
  const { listings, caches, isOn, onError, now } = options;
  const running = new Map<string, Promise<unknown>>();
  const lookedAt = caches.createMap<string, number>(CACHE_BOUNDS.freshTools, (key) => estimateBytes(key));
  let isClosed = !isOn;

  const start = (key: ToolListKey, work: () => Promise<unknown>): void => {
    const name = toName(key);
    if (isClosed || running.has(name)) return;
    const run = work()
      .catch(onError)
      .finally(() => running.delete(name));
    running.set(name, run);
  };

  return {
    /** Somebody uses a list: it is listed again if it is stale. Never waits. */
    use(key: ToolListKey): void {
      const [name, at] = [toName(key), now().getTime()];
      const last = lookedAt.get(name);
      if (last !== undefined && at - last < LOOK_MS) return;
      lookedAt.set(name, at);
      start(key, async () => {
        const list = await listings.find(key);
        if (list?.attemptedAt == null) return listings.list(key, null);
        const { staleAt } = list;
        return staleAt !== null && staleAt <= now() ? listings.list(key, staleAt) : undefined;
      });
    },

    /** A config or a connection changed. */
    apply(change: ConfigChangeRecord, config: McpServerConfigRecord | undefined): void {
      if (config === undefined) return;
      const { kind, userId, changedColumns, occurredAt } = change;
      // Users' own lists are stale now.
      if (kind === 'updated' && changedColumns.includes('tools')) lookedAt.clear();
      if (kind === 'connection' && changedColumns.length === 0 && userId !== null) {
        const key = { configId: config.id, userId };
        start(key, () => listings.list(key, occurredAt));
      }
      const isOther = changedColumns.some((column) => COLUMNS.has(column));
      const isEnabled = config.enabled && changedColumns.includes('enabled');
      if (kind === 'created' || (kind === 'updated' && (isOther || isEnabled))) {
        const key = { configId: config.id, userId: null };
        start(key, () => listings.list(key, occurredAt));
      }
    },

    /** The server said that its list changed. */
    changed(key: ToolListKey): void {
      start(key, () => listings.list(key, null));
    },

    async close(): Promise<void> {
      isClosed = true;
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

function toName({ configId, userId }: ToolListKey): string {
  return `${configId} ${userId ?? ''}`;
}
