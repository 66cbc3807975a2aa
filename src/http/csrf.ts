import { createMiddleware } from 'hono/factory';
import { forbidden } from '../errors.ts';
import type { HttpEnv } from './context.ts';
import { isPageRequest } from './page-request.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The origins whose pages may use a session. */
export interface TrustedOrigins {
  publicUrl: string;
  corsOrigins: readonly string[];
}

/**
 * CSRF protection: requests with a session cookie must come from the gateway's own pages or from allowed origins. Those
 * that only read may also come from the address bar. Anybody may link to a page, and so to the return from an
 * authorization server: these show something, and begin nothing by themselves. Bearer tokens need no check, because a page
 * of another site cannot make the browser add one.
 *
 * @throws FORBIDDEN, also if no request header identifies the origin
 */
export function refuseCrossSite({ graphiql, ...origins }: TrustedOrigins & { graphiql: boolean }) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    if (c.get('credentialSource') === 'cookie') {
      const { headers } = c.req.raw;
      // A WebSocket starts with a GET, can carry mutations, and is not subject to the same-origin policy.
      const isSafe = SAFE_METHODS.has(c.req.method) && headers.get('upgrade') === null;
      const isTrusted = isSafe ? isTrustedReader(headers, origins) : isTrustedOrigin(headers, origins);
      // An address that someone typed reads, but does not write: Chromium also says `none` for links of other programs.
      const isAllowed =
        isTrusted || (isSafe && (headers.get('sec-fetch-site') === 'none' || isPageRequest(c, { graphiql })));
      if (!isAllowed) throw forbidden('Pages of other sites may not use your session.');
    }
    await next();
  });
}

/** Checks Sec-Fetch-Site (Fetch Metadata) if the browser sends it, else Origin. Without either, it is not trusted. */
export function isTrustedOrigin(headers: Headers, { publicUrl, corsOrigins }: TrustedOrigins): boolean {
  const origin = headers.get('origin');
  if (origin !== null && corsOrigins.includes(origin)) return true;
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  return origin === publicUrl;
}

/**
 * Whether a page of the gateway or of an allowed origin sent a request that only reads. As for others, but browsers
 * without Fetch Metadata send no Origin with these, so there the Referer counts.
 */
export function isTrustedReader(headers: Headers, origins: TrustedOrigins): boolean {
  if (isTrustedOrigin(headers, origins)) return true;
  const referrer = headers.get('referer') ?? '';
  const saysNothingElse = headers.get('sec-fetch-site') === null && headers.get('origin') === null;
  return saysNothingElse && URL.canParse(referrer) && new URL(referrer).origin === origins.publicUrl;
}
