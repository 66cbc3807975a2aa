import { type Context, Hono } from 'hono';
import type { Denials } from '../../domain/audit/denials.ts';
import type { Authentication } from '../../domain/credentials/authentication.ts';
import type { OpenedSession, SessionService } from '../../domain/credentials/session-service.ts';
import { type OidcSignIn, SIGNED_OUT_PATH } from '../../domain/sign-in/oidc-sign-in.ts';
import { parseReturnPath } from '../../domain/sign-in/return-path.ts';
import { DomainError, forbidden, unauthenticated } from '../../errors.ts';
import { assertScope } from '../../policy/token-grant.ts';
import type { HttpEnv } from '../context.ts';
import { isTrustedOrigin } from '../csrf.ts';
import type { HostCookie } from '../host-cookie.ts';
import { prefersHtml } from '../prefers-html.ts';
import { readRetryAfter, statusOfCode } from '../problem.ts';
import { readForm } from './form-body.ts';
import type { HintCookie } from './hint-cookie.ts';
import { type Pages, SIGN_IN_PATH } from './pages.ts';

/** What the routes work with. */
export interface SignInRoutesOptions {
  authentication: Authentication;
  sessions: SessionService;
  /** Undefined when browsers cannot sign in at a provider. */
  oidcSignIn: OidcSignIn | undefined;
  cookie: HostCookie;
  hintCookie: HintCookie;
  denials: Denials;
  pages: Pages;
  publicUrl: string;
}

const REJECTED = 'The gateway rejected this token: it is wrong, expired or revoked, or its user is suspended.';

/**
 * The pages where people sign in and out. They work without scripts: forms are accepted only from pages of the gateway
 * itself, so that no other site can sign a browser in as somebody else.
 */
export function createSignInRoutes(options: SignInRoutesOptions): Hono<HttpEnv> {
  const { authentication, sessions, oidcSignIn, cookie, hintCookie, denials, pages, publicUrl } = options;
  const routes = new Hono<HttpEnv>();
  /** The browser's session of before ends, or pages and streams of its user would stay open beside the new one. */
  const setCookie = async (c: Context<HttpEnv>, { token, expiresAt }: OpenedSession): Promise<void> => {
    await sessions.end(c.get('viewer'));
    c.header('set-cookie', cookie.set(token.expose(), expiresAt), { append: true });
    c.header('cache-control', 'no-store');
  };

  /** Without one of the headers, the form may be from anywhere. */
  const assertOwnForm = (c: Context<HttpEnv>): void => {
    if (isTrustedOrigin(c.req.raw.headers, { publicUrl, corsOrigins: [] })) return;
    throw forbidden('Only pages of the gateway may send this form. Open the sign-in page of the gateway.');
  };

  routes.get(SIGN_IN_PATH, async (c) => {
    // Link previews and prefetching must not consume the one-time link. Hono also routes HEAD requests here.
    if (isPreview(c)) return c.body(null, 204);
    const link = c.req.query('token');
    const returnTo = parseReturnPath(c.req.query('return_to'));
    if (link === undefined) {
      return c.get('viewer').kind === 'nobody' ? pages.signIn(c, { returnTo }) : c.redirect(returnTo, 303);
    }
    c.header('referrer-policy', 'no-referrer');
    try {
      await setCookie(c, await sessions.openByLink(link));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      await denials.record(c.get('viewer'), { operation: `GET ${SIGN_IN_PATH}`, code: error.code });
      const status = statusOfCode(error.code);
      if (error.code === 'RATE_LIMITED') c.header('retry-after', String(readRetryAfter(error)));
      if (prefersHtml(c)) return pages.notSignedIn(c, { status, text: error.message, returnTo });
      c.header('cache-control', 'no-store');
      return c.text(`${error.message}\n`, status);
    }
    return c.redirect(returnTo, 303);
  });

  routes.post(SIGN_IN_PATH, async (c) => {
    assertOwnForm(c);
    const form = await readForm(c);
    const returnTo = parseReturnPath(form.get('return_to') ?? undefined);
    const token = (form.get('token') ?? '').trim();
    try {
      if (!/^[\x21-\x7e]+$/.test(token)) {
        const problem = 'This does not look like a token: it is empty, or has spaces or special characters.';
        return pages.signIn(c, { returnTo, problem, status: 400 });
      }
      const viewer = await authentication.verifyBearer(token);
      if (viewer.kind === 'nobody') throw unauthenticated(REJECTED);
      assertScope(viewer, 'graph');
      await setCookie(c, await sessions.openForViewer(viewer));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      await denials.record(c.get('viewer'), { operation: `POST ${SIGN_IN_PATH}`, code: error.code });
      if (error.code === 'RATE_LIMITED') c.header('retry-after', String(readRetryAfter(error)));
      return pages.signIn(c, { returnTo, problem: error.message, status: statusOfCode(error.code) });
    }
    return c.redirect(returnTo, 303);
  });

  routes.post('/auth/sign-out', async (c) => {
    assertOwnForm(c);
    const viewer = c.get('viewer');
    // First: the provider may be slow, or away.
    await sessions.end(viewer);
    const hint = hintCookie.read(c.req.raw);
    const endSessionUrl =
      hint === undefined ? undefined : await oidcSignIn?.readEndSessionUrl({ viewer, cookie: hint });
    c.header('set-cookie', cookie.clear());
    if (hint !== undefined) c.header('set-cookie', hintCookie.clear(), { append: true });
    // The page is not at an address of its own then: its link says who signs out, and is for nobody's history.
    return endSessionUrl === undefined ? c.redirect(SIGNED_OUT_PATH, 303) : pages.signedOut(c, { endSessionUrl });
  });

  routes.get(SIGNED_OUT_PATH, async (c) => {
    if (isPreview(c)) return c.body(null, 204);
    return pages.signedOut(c, { endSessionUrl: await oidcSignIn?.readEndSessionUrl() });
  });

  return routes;
}

/** Whether nobody looks at the answer. */
export function isPreview(c: Context<HttpEnv>): boolean {
  return c.req.method === 'HEAD' || c.req.header('sec-purpose')?.includes('prefetch') === true;
}
