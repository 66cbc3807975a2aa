import { createMiddleware } from 'hono/factory';
import type { OperationShares } from '../domain/shares/operation-shares.ts';
import type { HttpEnv } from './context.ts';

/**
 * Lets each caller have only so many requests in progress. The rest wait before their body is read, so they need little
 * memory. The body of an answer does not count: streams have limits of their own.
 *
 * @throws RATE_LIMITED
 */
export function shareOperations(shares: OperationShares) {
  return createMiddleware<HttpEnv>((c, next) => shares.run(c.get('viewer'), next));
}
