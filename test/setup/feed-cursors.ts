import { createFeedRepository } from '../../src/data/repositories/feed-repository.ts';
import { createCursors } from '../../src/domain/cursors.ts';
import { type FeedPlace, openFeedCursor, sealFeedCursor } from '../../src/domain/feed/feed-cursor.ts';
import { SYSTEM, type Viewer } from '../../src/policy/viewer.ts';
import type { TestGateway } from './gateway.ts';

/** Opens and seals cursors with the keys of a gateway, as nobody else can. */
export interface FeedCursors {
  read(cursor: string | undefined): FeedPlace;
  make(place: FeedPlace, changed?: { epoch?: string }): string;
}

/** Reads and makes feed cursors of a user of this gateway. */
export async function openFeedCursors(gateway: TestGateway, role: keyof TestGateway['userIds']): Promise<FeedCursors> {
  const feed = createFeedRepository(gateway.prisma());
  const position = await feed
    .position(SYSTEM, { withHistory: true })
    .catch(() => feed.position(SYSTEM, { withHistory: false }));
  const viewer = { kind: 'user', userId: gateway.userIds[role] } as Viewer;
  const cursorsOf = (epoch: string) => createCursors({ keyring: gateway.keyring, epoch: () => epoch });
  const limits = { ...position, rev: 2n ** 62n, expiredRev: 0n };
  return {
    read: (cursor = '') => openFeedCursor(cursorsOf(position.epoch), viewer, cursor, limits),
    make: (place, { epoch = position.epoch } = {}) => sealFeedCursor(cursorsOf(epoch), viewer, place),
  };
}
