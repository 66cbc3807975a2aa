import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { ConfigChangeRecord, ConnectionRecord } from '../records.ts';
import type { createConnectionRepository, ListConnectionsArgs } from '../repositories/connection-repository.ts';
import { guarded } from '../repositories/guarded.ts';

type ConnectionRepository = ReturnType<typeof createConnectionRepository>;

/** The connection reads that are answered from memory. */
export type ConnectionReads = Pick<ConnectionRepository, 'list' | 'listOfUsers'>;

/** Caches connections by user until one of them changes. */
export function createConnectionReads(
  stored: ConnectionRepository,
  fresh: () => Promise<void> | undefined,
  caches: Caches,
) {
  const byUser = caches.createPromiseCache<string, readonly ConnectionRecord[]>(
    CACHE_BOUNDS.connections,
    (userId, connections) => estimateBytes(userId) + estimateBytes(connections),
  );

  /** Loads the connections of some users at once. */
  const load = (userIds: readonly string[]): Map<string, Promise<readonly ConnectionRecord[]>> => {
    if (userIds.length === 0) return new Map();
    const found = stored.listOfUsers(SYSTEM, { userIds });
    const start = (userId: string) =>
      byUser.start(
        userId,
        found.then((all) => all.get(userId) ?? []),
      );
    return new Map(userIds.map((userId) => [userId, start(userId)]));
  };

  const listOfUsers = async (args: ListConnectionsArgs & { userIds: readonly string[] }) => {
    const { userIds, configIds, bypassCache } = args;
    await fresh();
    if (bypassCache === true) for (const userId of userIds) byUser.delete(userId);
    // Read the cache before the next await: entries that are evicted later were valid at the time of the call.
    const known = userIds.map((userId) => [userId, byUser.get(userId)] as const);
    const loaded = load(known.filter(([, own]) => own === undefined).map(([userId]) => userId));
    const asked = known.map(([userId, own]) => [userId, own ?? loaded.get(userId)] as const);
    const wanted = configIds === undefined ? undefined : new Set(configIds);
    const result = new Map<string, ConnectionRecord[]>();
    for (const [userId, connections] of asked) {
      const own = (await connections)?.filter(({ configId }) => wanted?.has(configId) ?? true) ?? [];
      if (own.length > 0) result.set(userId, own);
    }
    return result;
  };

  const reads: ConnectionReads = {
    list: guarded(
      'mcpServerConnection.read',
      async ({ userId, ...rest }: ListConnectionsArgs & { userId: string }) =>
        (await listOfUsers({ userIds: [userId], ...rest })).get(userId) ?? [],
      (args) => ({ ownerId: args.userId }),
    ),
    listOfUsers: guarded('mcpServerConnection.readAny', listOfUsers),
  };

  return {
    reads,

    apply(changes: readonly ConfigChangeRecord[]): void {
      for (const { kind, userId } of changes) if (kind === 'connection' && userId !== null) byUser.delete(userId);
    },

    invalidate: (): void => byUser.clear(),
  };
}
