import { type Context, Hono } from 'hono';
import type { Denials } from '../domain/audit/denials.ts';
import type { OpenedSession, SessionService } from '../domain/credentials/session-service.ts';
import { DomainError, unauthenticated } from '../errors.ts';
import type { HttpEnv } from './context.ts';
import type { SessionCookie } from './session-cookie.ts';

/** The dependencies of the session routes. */
export interface SessionRoutesOptions {
  sessions: SessionService;
  cookie: SessionCookie;
  denials: Denials;
}

/** Routes to sign in and out with a browser: `/auth/session` and the one-time link `/auth/sign-in`. */
export function createSessionRoutes({ sessions, cookie, denials }: SessionRoutesOptions): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();
  const setCookie = (c: Context<HttpEnv>, { token, expiresAt }: OpenedSession): void => {
    c.header('set-cookie', cookie.set(token.expose(), expiresAt));
    c.header('cache-control', 'no-store');
  };

  routes.post('/auth/session', async (c) => {
    if (c.get('viewer').kind === 'nobody') throw unauthenticated();
    const opened = await sessions.openForViewer(c.get('viewer'));
    setCookie(c, opened);
    return c.json({ expires_at: opened.expiresAt.toISOString() }, 201);
  });

  // Idempotent: signing out again, or with an expired session, also succeeds.
  routes.delete('/auth/session', async (c) => {
    if (c.get('credentialSource') !== 'cookie') throw unauthenticated('The request has no session cookie.');
    await sessions.end(c.get('viewer'));
    c.header('set-cookie', cookie.clear());
    return c.body(null, 204);
  });

  routes.get('/auth/sign-in', async (c) => {
    c.header('referrer-policy', 'no-referrer');
    // Link previews and prefetching must not consume the one-time link. Hono also routes HEAD requests here.
    if (c.req.method === 'HEAD' || c.req.header('sec-purpose')?.includes('prefetch') === true) return c.body(null, 204);
    try {
      setCookie(c, await sessions.openByLink(c.req.query('token') ?? ''));
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'UNAUTHENTICATED') throw error;
      await denials.record(c.get('viewer'), { operation: 'GET /auth/sign-in', code: error.code });
      c.header('cache-control', 'no-store');
      return c.text(`${error.message}\n`, 401);
    }
    return c.redirect('/graphql', 303);
  });

  return routes;
}
