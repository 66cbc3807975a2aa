import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import type { ConfigChangeRecord, McpServerConfigRecord } from '../../data/records.ts';
import type { ToolListKey } from '../../data/repositories/tool-lists.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { createToldChanges } from './told-changes.ts';
import type { ToolListeners } from './tool-listeners.ts';
import type { ListingResult, ToolListings } from './tool-listing.ts';

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
  listeners: Pick<ToolListeners, 'want' | 'forget'>;
  caches: Caches;
  isOn: boolean;
  onError: (error: unknown) => void;
  now: () => Date;
}) {
  const { listings, listeners, caches, isOn, onError, now } = options;
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

  /** Lists, and hears the server from then on, if it tells something. */
  const list = async (key: ToolListKey, since: Date | null): Promise<ListingResult> => {
    const result = await listings.list(key, since);
    if (result.kind === 'listed' && result.tellsChanges) listeners.want(key, true);
    return result;
  };

  const told = createToldChanges(async (name) => {
    // One that runs may have begun before the change, and one of another replica, too.
    await running.get(name);
    let kind: ListingResult['kind'] | undefined;
    const key = toKey(name);
    start(key, async () => {
      ({ kind } = await listings.list(key, null));
    });
    await running.get(name);
    return kind !== 'elsewhere';
  });

  return {
    /**
     * Somebody uses a list: it is listed again if it is stale. Never waits.
     *
     * @param isListable whether the server can be called for this list: not without a user, if they have connections
     */
    use(key: ToolListKey, isListable = true): void {
      const [name, at] = [toName(key), now().getTime()];
      const last = lookedAt.get(name);
      if (last !== undefined && at - last < LOOK_MS) return;
      lookedAt.set(name, at);
      start(key, async () => {
        const known = await listings.find(key);
        if (known?.attemptedAt == null) return list(key, null);
        const { staleAt, listedAt } = known;
        if (staleAt !== null && staleAt <= now()) return list(key, staleAt);
        if (listedAt !== null && isListable) listeners.want(key, false);
        return undefined;
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
        start(key, () => list(key, occurredAt));
      }
      const isOther = changedColumns.some((column) => COLUMNS.has(column));
      const isEnabled = config.enabled && changedColumns.includes('enabled');
      if (kind === 'created' || (kind === 'updated' && (isOther || isEnabled))) {
        const key = { configId: config.id, userId: null };
        listeners.forget(config.id);
        start(key, () => list(key, occurredAt));
      }
    },

    /**
     * The server said that its list changed. However often it says so, it is listed at most once in a while; what it says
     * meanwhile counts at the end of that.
     */
    changed(key: ToolListKey): void {
      if (!isClosed) told.hear(toName(key));
    },

    async close(): Promise<void> {
      isClosed = true;
      told.close();
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

function toName({ configId, userId }: ToolListKey): string {
  return `${configId} ${userId ?? ''}`;
}

function toKey(name: string): ToolListKey {
  const [configId = '', userId] = name.split(' ');
  return { configId, userId: userId === '' || userId === undefined ? null : userId };
}
