import type { ClientOptions } from './connection.ts';
import { type FollowOptions, follow } from './follow.ts';

/** How to wait for a cursor. */
export type WaitOptions = Pick<FollowOptions, 'signal' | 'backoff' | 'bookmarkTimeoutMs' | 'onRetry'>;

/**
 * Waits until the replica that answers has reached a cursor. It sends the first event then: what it has to tell beyond the
 * cursor, or a bookmark.
 */
export async function waitFor(client: ClientOptions, after: string, options: WaitOptions = {}): Promise<void> {
  const events = follow(client, { ...options, after });
  try {
    await events.next();
  } finally {
    await events.return();
  }
}
