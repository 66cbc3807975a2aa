import { randomUUID } from 'node:crypto';
import DataLoader from 'dataloader';
import type { McpReachabilityRecord, McpServerConfigRecord, McpToolListRecord } from '../../data/records.ts';
import type { ToolListKey } from '../../data/repositories/tool-lists.ts';
import type { Repositories, Store } from '../../data/store.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { retryAfter, staleAfter } from './list-times.ts';
import { createListingPlaces } from './listing-places.ts';
import { saveListing } from './save-listing.ts';
import { readTools } from './tool-definition.ts';
import type { UpstreamListing, UpstreamTools } from './upstream-tools.ts';

/** The listings that one process runs at once. */
const AT_ONCE = MCP_LIMITS.listings.value;
/** How long a listing may keep others from running. It goes on beside them then. */
const PATIENCE_MS = MCP_LIMITS.listingPatience.value;
/** Listings that go on beside. */
const MAX_SLOW = MCP_LIMITS.slowListings.value;
/** Longer than a listing may take. Another replica lists if this one ends before. */
const LEASE_SECONDS = 30;

/** How often a server is asked under one lease, if its config changes meanwhile. Together they take less than the lease. */
const MAX_ATTEMPTS = 2;

/** The problem of a user's list that is too large to be stored. */
const OWN_LIST_TOO_LARGE = 'OWN_LIST_TOO_LARGE';

/** What became of a listing. */
export type ListingResult =
  | { kind: 'listed'; tellsChanges: boolean }
  | { kind: 'failed'; problem: string }
  /** Somebody else lists, or has listed since. */
  | { kind: 'elsewhere' };

/** Lists the tools of servers and stores them, once for all replicas. */
export type ToolListings = ReturnType<typeof createToolListings>;

/** Creates the listings of one process. */
export function createToolListings(options: { store: Store; upstream: UpstreamTools; now: () => Date }) {
  const { store, upstream, now } = options;
  /** Many lists are often looked at in one moment. */
  const known = new DataLoader<ToolListKey, McpToolListRecord | null>(
    async (keys) => {
      const lists = await store.tools.findLists(SYSTEM, { keys });
      const byKey = new Map(lists.map((list) => [toKey(list), list]));
      return keys.map((key) => byKey.get(toKey(key)) ?? null);
    },
    { cache: false },
  );
  const places = createListingPlaces({ atOnce: AT_ONCE, slow: MAX_SLOW, patienceMs: PATIENCE_MS });

  /** @returns undefined if the config changed meanwhile; nothing is stored then. The lease ends with what is stored. */
  const save = (
    config: McpServerConfigRecord,
    { userId, leaseId }: Pick<ToolListKey, 'userId'> & { leaseId: string },
    listing: UpstreamListing,
  ) =>
    store.transaction(async (tx): Promise<Exclude<ListingResult, { kind: 'elsewhere' }> | undefined> => {
      // What was listed may be of a server that the config no longer names.
      if (!(await holdConfig(tx, config, listing))) return undefined;
      if (listing.kind !== 'listed') {
        // What answers as it should is not asked again soon.
        const staleAt = listing.kind === 'answered' ? staleAfter(now(), undefined) : retryAfter(now());
        await tx.tools.saveList(SYSTEM, { configId: config.id, userId, leaseId, listing: { staleAt } });
        return { kind: 'failed', problem: listing.problem };
      }
      const role = userId === null ? null : await tx.sessions.findUser(SYSTEM, { id: userId });
      const isSaved = await saveListing(tx, {
        config,
        leaseId,
        user: userId === null ? null : { id: userId, isAdmin: role?.role === 'admin' },
        ...toRead(listing),
        isCut: listing.isCut ?? false,
        ttlMs: listing.ttlMs,
        isPublic: listing.cacheScope === 'public',
        now: now(),
      });
      return isSaved
        ? { kind: 'listed', tellsChanges: listing.tellsChanges ?? false }
        : { kind: 'failed', problem: OWN_LIST_TOO_LARGE };
    });

  /**
   * Holds the config until the transaction ends, and writes what is known of the server now.
   *
   * @returns whether the config is as it was
   */
  const holdConfig = async (tx: Repositories, { id, version }: McpServerConfigRecord, listing: UpstreamListing) => {
    if (listing.kind === 'not_asked') return (await tx.configs.holdVersion(SYSTEM, { id })) === version;
    // Whoever was refused was not told what users with a connection were.
    const [known] = listing.kind === 'answered' ? await tx.tools.listReachability(SYSTEM, { configIds: [id] }) : [];
    const found = { ...toReachability(id, listing, now()), ...toKept(known) };
    return tx.tools.saveReachability(SYSTEM, { ...found, version });
  };

  return {
    /**
     * Lists with one user's connection or, without a user, with the gateway's own credentials.
     *
     * @param since what made the listing necessary: nothing happens if a listing began later. Null: list in any case
     */
    async list(key: ToolListKey, since: Date | null): Promise<ListingResult> {
      const { configId, userId } = key;
      return places.run(configId, async (signal): Promise<ListingResult> => {
        const leaseId = randomUUID();
        const lease = { ...key, leaseId };
        if (!(await store.tools.takeLease(SYSTEM, { ...lease, since, seconds: LEASE_SECONDS }))) {
          return { kind: 'elsewhere' };
        }
        let isOver = false;
        try {
          for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
            const { configs } = store;
            // Memory may be behind the database. Then what it says is not stored.
            const find = attempt === 1 ? configs.findById : configs.findForConnection;
            const config = await find(SYSTEM, { id: configId });
            if (config === null) break;
            const saved = await save(config, lease, await upstream.listTools(config, userId, signal));
            if (saved === undefined) continue;
            isOver = true;
            return saved;
          }
          return { kind: 'elsewhere' };
        } finally {
          if (!isOver) await store.tools.endLease(SYSTEM, lease);
        }
      });
    },

    find: (key: ToolListKey): Promise<McpToolListRecord | null> => known.load(key),
  };
}

function toKey({ configId, userId }: ToolListKey): string {
  return `${configId} ${userId ?? ''}`;
}

function toReachability(
  configId: string,
  listing: Exclude<UpstreamListing, { kind: 'not_asked' }>,
  checkedAt: Date,
): McpReachabilityRecord {
  const { server, latencyMs } = listing;
  return {
    configId,
    reachable: listing.kind !== 'failed' || listing.isReachable,
    checkedAt,
    problem: listing.kind === 'failed' ? listing.problem : null,
    latencyMs: Math.round(latencyMs),
    protocolVersion: cut(server?.protocolVersion, 64),
    serverName: cut(server?.name, 200),
    serverVersion: cut(server?.version, 200),
    instructions: cut(server?.instructions, 16_000),
  };
}

/** What a server said about itself, unless it was never asked. */
function toKept(known: McpReachabilityRecord | undefined): Partial<McpReachabilityRecord> {
  if (known === undefined) return {};
  const { protocolVersion, serverName, serverVersion, instructions } = known;
  return { protocolVersion, serverName, serverVersion, instructions };
}

function toRead({ tools: raw, leftOut = 0 }: Extract<UpstreamListing, { kind: 'listed' }>) {
  const { tools, leftOut: alsoLeftOut } = readTools(raw);
  return { tools, leftOut: leftOut + alsoLeftOut.length };
}

/** Cuts a server's text to what the database takes. */
function cut(text: string | null | undefined, characters: number): string | null {
  if (text == null) return null;
  return [...text.replaceAll('\0', '').toWellFormed()].slice(0, characters).join('');
}
