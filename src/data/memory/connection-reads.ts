import { BoundedMap } from '../../cache/bounded-map.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { ConfigChangeRecord, ConnectionRecord } from '../records.ts';
import type { createConnectionRepository, ListConnectionsArgs } from '../repositories/connection-repository.ts';
import { guarded } from '../repositories/guarded.ts';

/** The maximum number of users whose connections are cached. */
const MAX_USERS = 10_000;

type ConnectionRepository = ReturnType<typeof createConnectionRepository>;

/** The connection reads that are answered from memory. */
export type ConnectionReads = Pick<ConnectionRepository, 'list' | 'listOfUsers'>;

/** Caches connections by user until one of them changes. */
export function createConnectionReads(stored: ConnectionRepository, fresh: () => Promise<void> | undefined) {
  const byUser = new BoundedMap<string, Promise<readonly ConnectionRecord[]>>(MAX_USERS);

  const load = (userIds: readonly string[]): void => {
    const found = stored.listOfUsers(SYSTEM, { userIds });
    for (const userId of userIds) {
      const own = found.then((all) => all.get(userId) ?? []);
      byUser.set(userId, own);
      own.catch(() => byUser.deleteIf(userId, own));
    }
  };

  const listOfUsers = async (args: ListConnectionsArgs & { userIds: readonly string[] }) => {
    const { userIds, configIds, bypassCache } = args;
    await fresh();
    if (bypassCache === true) for (const userId of userIds) byUser.delete(userId);
    const missing = userIds.filter((userId) => byUser.get(userId) === undefined);
    if (missing.length > 0) load(missing);
    // Read the cache before the first await: entries that are evicted later were valid at the time of the call.
    const asked = userIds.map((userId) => [userId, byUser.get(userId)] as const);
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

    forget: (): void => byUser.clear(),
  };
}
