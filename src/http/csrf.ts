import { createMiddleware } from 'hono/factory';
import { forbidden } from '../errors.ts';
import type { HttpEnv } from './context.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * CSRF protection: requests that change something with a session cookie must come from the gateway's own pages or from
 * allowed origins. Bearer tokens need no check, because a page of another site cannot make the browser add one.
 *
 * @throws FORBIDDEN, also if no request header identifies the origin
 */
export function refuseCrossSite(options: { publicUrl: string; corsOrigins: readonly string[] }) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    // A WebSocket starts with a GET, can carry mutations, and is not subject to the same-origin policy.
    const isSafe = SAFE_METHODS.has(c.req.method) && c.req.header('upgrade') === undefined;
    const isChecked = c.get('credentialSource') === 'cookie' && !isSafe;
    if (isChecked && !isTrustedOrigin(c.req.raw.headers, options)) {
      throw forbidden('Pages of other sites may not use your session.');
    }
    await next();
  });
}

/** Checks Sec-Fetch-Site (Fetch Metadata) if the browser sends it, else Origin. Without either, it is not trusted. */
function isTrustedOrigin(headers: Headers, options: { publicUrl: string; corsOrigins: readonly string[] }): boolean {
  const origin = headers.get('origin');
  if (origin !== null && options.corsOrigins.includes(origin)) return true;
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  return origin === options.publicUrl;
}
