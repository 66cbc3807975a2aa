import { createMiddleware } from 'hono/factory';
import { assertScope } from '../policy/token-grant.ts';
import type { HttpEnv } from './context.ts';

/** The paths of the tool door. All others are for the scope `graph`. */
const TOOL_DOOR = /^\/mcp(?:\/|$)/;

/**
 * Refuses API tokens that are limited to other scopes, and the sessions that they opened: on every path that comes after
 * this, before anything else of the request is looked at.
 *
 * @throws FORBIDDEN
 */
export function requireTokenScope() {
  return createMiddleware<HttpEnv>(async (c, next) => {
    assertScope(c.get('viewer'), TOOL_DOOR.test(c.req.path) ? 'mcp' : 'graph');
    await next();
  });
}
