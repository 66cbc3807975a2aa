import { randomBytes, timingSafeEqual } from 'node:crypto';
import { html } from 'hono/html';
import type { PageFiles } from '../console/page-files.ts';
import type { FlowCookie } from './flow-cookie.ts';
import { createPage } from './page.ts';

/** The query parameter of the link on the page. */
export const CONFIRM_PARAMETER = 'confirm';
/** Names the cookie. No flow has this name: those of flows are hexadecimal. */
const COOKIE_NAME = 'confirm';
/** How long the page can stay open before it is confirmed. */
const CONFIRM_TTL_MS = 600_000;

/**
 * The page that asks whether to connect, for requests that do not come from a page of the gateway. Its link has a token
 * that is also in a cookie of this browser, and works once. It is a link and not a form, because the policy of forms would
 * also apply to the redirect to the authorization server.
 *
 * @param path of the address that connects
 */
export async function askToConfirm(
  { cookie, pageFiles }: { cookie: FlowCookie; pageFiles: PageFiles },
  { displayName, path }: { displayName: string; path: string },
): Promise<Response> {
  const token = randomBytes(32).toString('base64url');
  const page = await createPage(pageFiles, 200, {
    title: `Connect ${displayName}?`,
    content: html`<p>You will sign in to this server, and Gatehouse will use it with your account. Continue only if you want that.</p>
      <p><a class="button" href="?${CONFIRM_PARAMETER}=${token}" rel="nofollow">Connect</a></p>
      <p>If you did not expect this question, close this window.</p>`,
  });
  const expiresAt = new Date(Date.now() + CONFIRM_TTL_MS);
  page.headers.set('Set-Cookie', cookie.set(COOKIE_NAME, token, { path, expiresAt }));
  return page;
}

/** Whether the request comes from the link on the page, in the same browser. */
export function isConfirmed(cookie: FlowCookie, request: Request): boolean {
  const given = Buffer.from(new URL(request.url).searchParams.get(CONFIRM_PARAMETER) ?? '');
  const expected = Buffer.from(cookie.read(request, COOKIE_NAME) ?? '');
  return given.length > 0 && given.length === expected.length && timingSafeEqual(given, expected);
}

/** The `Set-Cookie` header that ends the token. */
export function endConfirmation(cookie: FlowCookie, path: string): string {
  return cookie.clear(COOKIE_NAME, path);
}
