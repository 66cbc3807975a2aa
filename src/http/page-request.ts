import type { Context } from 'hono';
import type { HttpEnv } from './context.ts';
import { prefersHtml } from './prefers-html.ts';

/**
 * Connecting asks first, and the return from an authorization server must belong to a flow of this browser. The return may
 * be to the address of one config or of all of them.
 */
const CONNECTION_PAGE = /^\/api\/experimental\/mcp(?:\/servers\/[^/]+)?\/oauth2\/(?:connect|callback)\/?$/;

/** The pages around signing in and out. The return from the provider must belong to a sign-in of this browser. */
const SIGN_IN_PAGE = /^\/auth\/(?:sign-in|signed-out|oidc\/sign-in|oidc\/callback)$/;

/**
 * Whether the request opens a page in a window, so that a link of any other site may lead there. It must be a navigation
 * of a whole window if the browser says what it is (Fetch Metadata). Other addresses are for scripts and programs.
 */
export function isPageRequest(c: Context<HttpEnv>, { graphiql }: { graphiql: boolean }): boolean {
  const mode = c.req.header('sec-fetch-mode');
  if (mode !== undefined && (mode !== 'navigate' || c.req.header('sec-fetch-dest') !== 'document')) return false;
  const { path } = c.req;
  // Without the playground, the same address would run a query.
  if (path === '/graphql') return graphiql && prefersHtml(c);
  return SIGN_IN_PAGE.test(path) || CONNECTION_PAGE.test(path);
}
