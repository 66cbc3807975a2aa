import type { Context, Hono } from 'hono';
import type { HttpEnv } from './context.ts';
import { toGraphQLResponse } from './graphql-routes.ts';
import { createProblemResponse } from './problem.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * The response to a request that no route handles: 405 with the methods of the path in `Allow` (RFC 9110, section
 * 15.5.6), or 404 if the path has none. A route that handles the method but found nothing also gets 404.
 */
export function respondUnhandled(app: Hono<HttpEnv>, c: Context<HttpEnv>): Response | Promise<Response> {
  const { path } = c.req;
  const method = c.req.method === 'HEAD' ? 'GET' : c.req.method;
  const isGraphQL = path === '/graphql';
  // Every GET route also answers HEAD, except GraphQL.
  const allowed = METHODS.filter((method) => hasRoute(app, method, path)).flatMap((method) =>
    method === 'GET' && !isGraphQL ? ['GET', 'HEAD'] : [method],
  );
  if (allowed.length === 0 || hasRoute(app, method, path)) {
    return createProblemResponse(404, { message: 'There is nothing at this address.', code: 'NOT_FOUND' });
  }
  const list = allowed.join(', ');
  const message = `This address does not take ${c.req.method}: use ${list}.`;
  const response = createProblemResponse(405, { message, code: 'VALIDATION_FAILED' });
  response.headers.set('Allow', list);
  return isGraphQL ? toGraphQLResponse(response) : response;
}

/** Whether a route handles the method at this path. Middleware, which is registered for all paths, does not count. */
function hasRoute(app: Hono<HttpEnv>, method: string, path: string): boolean {
  const [matches] = app.router.match(method, path);
  return matches.some(([[, route]]) => route.path !== '/*');
}
