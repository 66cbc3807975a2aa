import { Hono } from 'hono';
import type { SessionService } from '../domain/credentials/session-service.ts';
import { unauthenticated } from '../errors.ts';
import type { HttpEnv } from './context.ts';
import type { HostCookie } from './host-cookie.ts';

/** The dependencies of the session routes. */
export interface SessionRoutesOptions {
  sessions: SessionService;
  cookie: HostCookie;
}

/** The routes to sign in and out with a script or program: `/auth/session`. */
export function createSessionRoutes({ sessions, cookie }: SessionRoutesOptions): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();

  routes.post('/auth/session', async (c) => {
    if (c.get('viewer').kind === 'nobody') throw unauthenticated();
    const opened = await sessions.openForViewer(c.get('viewer'));
    c.header('set-cookie', cookie.set(opened.token.expose(), opened.expiresAt));
    c.header('cache-control', 'no-store');
    return c.json({ expires_at: opened.expiresAt.toISOString() }, 201);
  });

  // Idempotent: signing out again, or with an expired session, also succeeds.
  routes.delete('/auth/session', async (c) => {
    if (c.get('credentialSource') !== 'cookie') throw unauthenticated('The request has no session cookie.');
    await sessions.end(c.get('viewer'));
    c.header('set-cookie', cookie.clear());
    return c.body(null, 204);
  });

  return routes;
}
