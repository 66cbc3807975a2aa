import DataLoader from 'dataloader';
import type { Page } from '../../data/records.ts';
import type { ConfigCursor } from '../../data/repositories/config-repository.ts';
import type { ListedConnection } from '../../domain/connections/connection-list.ts';
import type { Services } from '../../domain/services.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** A page of one user's connections. */
export interface ConnectionPageRequest {
  userId: string;
  first: number;
  after: ConfigCursor | undefined;
}

const EMPTY: Page<ListedConnection> = { rows: [], hasMore: false };

/** Loads pages of connections: one statement for all users who are asked for the same page. */
export function createConnectionPages({ connectionList }: Services, viewer: Viewer) {
  return new DataLoader<ConnectionPageRequest, Page<ListedConnection>, string>(
    async (requests) => {
      const pages = new Map<string, Page<ListedConnection>>();
      for (const [pageKey, { first, after }] of new Map(requests.map((request) => [toPageKey(request), request]))) {
        const same = requests.filter((request) => toPageKey(request) === pageKey);
        const userIds = same.map(({ userId }) => userId);
        for (const [userId, page] of await connectionList.list(viewer, userIds, { first, after })) {
          pages.set(`${userId} ${pageKey}`, page);
        }
      }
      return requests.map((request) => pages.get(toKey(request)) ?? EMPTY);
    },
    { cacheKeyFn: toKey },
  );
}

function toKey(request: ConnectionPageRequest): string {
  return `${request.userId} ${toPageKey(request)}`;
}

function toPageKey({ first, after }: ConnectionPageRequest): string {
  return after === undefined ? `${first}` : `${first} ${after.id} ${after.displayName}`;
}
