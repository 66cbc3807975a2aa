import { createMiddleware } from 'hono/factory';
import type { OperationShares } from '../domain/shares/operation-shares.ts';
import type { UserRates } from '../domain/shares/user-rates.ts';
import type { HttpEnv } from './context.ts';

/**
 * Lets each caller have only so many requests in progress. The rest wait before their body is read, so they need little
 * memory. The body of an answer does not count: streams have limits of their own. And each user has only so many in a minute.
 *
 * @throws RATE_LIMITED
 */
export function shareOperations({ shares, userRates }: { shares: OperationShares; userRates: UserRates }) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const viewer = c.get('viewer');
    await userRates.admitOperation(viewer);
    return shares.run(viewer, next);
  });
}
