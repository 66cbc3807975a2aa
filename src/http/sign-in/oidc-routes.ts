import { type Context, Hono } from 'hono';
import type { Denials } from '../../domain/audit/denials.ts';
import type { SessionService } from '../../domain/credentials/session-service.ts';
import { type OidcSignIn, SIGN_IN_CALLBACK_PATH } from '../../domain/sign-in/oidc-sign-in.ts';
import { parseReturnPath } from '../../domain/sign-in/return-path.ts';
import { DomainError, notFound, validationFailed } from '../../errors.ts';
import type { HttpEnv } from '../context.ts';
import type { HostCookie } from '../host-cookie.ts';
import { readRetryAfter, statusOfCode } from '../problem.ts';
import { readForm } from './form-body.ts';
import type { HintCookie } from './hint-cookie.ts';
import { OIDC_SIGN_IN_PATH, type Pages, withReturnPath } from './pages.ts';
import type { PendingCookies } from './pending-cookies.ts';
import { isPreview } from './sign-in-routes.ts';

/** What the routes work with. */
export interface OidcRoutesOptions {
  /** Undefined when browsers cannot sign in at a provider: the routes then answer that there is none. */
  signIn: OidcSignIn | undefined;
  sessions: SessionService;
  /** The cookie of the session. */
  cookie: HostCookie;
  /** The cookies of sign-ins that have begun. */
  pendingCookies: PendingCookies;
  hintCookie: HintCookie;
  denials: Denials;
  pages: Pages;
}

/** The routes where a browser signs in at the OpenID Connect provider, and where the provider signs it out. */
export function createOidcRoutes(options: OidcRoutesOptions): Hono<HttpEnv> {
  const { sessions, cookie, pendingCookies, hintCookie, denials, pages } = options;
  const routes = new Hono<HttpEnv>();

  const findSignIn = (): OidcSignIn => {
    if (options.signIn !== undefined) return options.signIn;
    throw notFound('OpenID Connect provider: GATEHOUSE_OIDC_CLIENT_ID is not set');
  };

  /** Shows a failure to people, with a way on. Programs get the usual errors. */
  const respondFailed = async (c: Context<HttpEnv>, error: unknown, returnTo: string): Promise<Response> => {
    if (!(error instanceof DomainError) || !c.req.header('accept')?.includes('text/html')) throw error;
    await denials.record(c.get('viewer'), { operation: `GET ${c.req.path}`, code: error.code });
    const status = statusOfCode(error.code);
    if (error.code === 'RATE_LIMITED') c.header('retry-after', String(readRetryAfter(error)));
    const tryAgain = error.code === 'NOT_FOUND' ? undefined : withReturnPath(OIDC_SIGN_IN_PATH, returnTo);
    return pages.notSignedIn(c, { status, text: error.message, returnTo, ...(tryAgain !== undefined && { tryAgain }) });
  };

  routes.get(OIDC_SIGN_IN_PATH, async (c) => {
    if (isPreview(c)) return c.body(null, 204);
    const wish = c.req.query('return_to');
    try {
      const started = await findSignIn().start(wish);
      for (const line of pendingCookies.begin(c.req.raw, started)) c.header('set-cookie', line, { append: true });
      c.header('cache-control', 'no-store');
      return c.redirect(started.url, 303);
    } catch (error) {
      return respondFailed(c, error, parseReturnPath(wish));
    }
  });

  routes.get(SIGN_IN_CALLBACK_PATH, async (c) => {
    if (isPreview(c)) return c.body(null, 204);
    const answer = new URL(c.req.url).searchParams;
    const state = answer.get('state') ?? '';
    const pending = pendingCookies.read(c.req.raw, state);
    // Whatever comes of it, this sign-in is over. Others of this browser go on.
    if (pending !== undefined) c.header('set-cookie', pendingCookies.end(state), { append: true });
    try {
      const { opened, hint, returnTo } = await findSignIn().finish(answer, pending);
      await sessions.end(c.get('viewer'));
      c.header('set-cookie', cookie.set(opened.token.expose(), opened.expiresAt), { append: true });
      c.header('set-cookie', hintCookie.set(hint, opened.expiresAt), { append: true });
      c.header('cache-control', 'no-store');
      return c.redirect(returnTo, 303);
    } catch (error) {
      return respondFailed(c, error, options.signIn?.readReturnPath(pending) ?? parseReturnPath(undefined));
    }
  });

  routes.post('/auth/oidc/backchannel-logout', async (c) => {
    const signIn = findSignIn();
    const tokens = (await readForm(c)).getAll('logout_token');
    const [token] = tokens;
    if (token === undefined || token === '' || tokens.length > 1) {
      const message = 'Send one logout token.';
      throw validationFailed([{ path: ['logout_token'], code: 'REQUIRED', message }]);
    }
    await signIn.acceptLogout(token);
    c.header('cache-control', 'no-store');
    return c.body(null, 200);
  });

  return routes;
}
