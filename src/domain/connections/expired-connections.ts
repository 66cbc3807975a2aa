import type { Store } from '../../data/store.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';

/** Shown to the user whose access token expired. */
export const EXPIRED_REASON = 'The access token expired and cannot be renewed; connect again.';

/** Connections per transaction: it holds the lock of the audit log. */
const BATCH_SIZE = 100;

/**
 * Ends the connections whose access token expired and that have no refresh token, so that their users see it on the
 * change feed. Until then, `ConnectionService` computes their state from the expiry.
 *
 * @returns how many were ended
 */
export async function endExpiredConnections(store: Store, now: () => Date): Promise<number> {
  for (let count = 0; ; ) {
    const ended = await store.transaction(async (tx) => {
      const removed = await tx.userTokens.endExpired(SYSTEM, { now: now(), reason: EXPIRED_REASON, most: BATCH_SIZE });
      for (const { configId, slug, userId } of removed) {
        await tx.audit.append(SYSTEM, {
          actor: SYSTEM,
          action: 'mcpServerConnection.refresh',
          outcome: 'failed',
          target: toConfigTarget({ id: configId, slug }),
          changes: [{ field: 'userId', before: userId, after: null }],
          reason: `The connection of user ${userId} is ended: ${EXPIRED_REASON}`,
        });
      }
      return removed.length;
    });
    count += ended;
    if (ended < BATCH_SIZE) return count;
  }
}
