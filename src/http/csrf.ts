import { createMiddleware } from 'hono/factory';
import { forbidden } from '../errors.ts';
import type { HttpEnv } from './context.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Lets a browser's cookie change things only from the gateway's own pages and from allowed origins. Callers with a
 * bearer token need no check: a page cannot make a browser add that.
 *
 * @throws FORBIDDEN, also when the browser does not say where the request comes from
 */
export function refuseCrossSite(options: { publicUrl: string; corsOrigins: readonly string[] }) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    // A WebSocket begins with a GET, carries anything, and browsers let pages of all sites read what it answers.
    const isSafe = SAFE_METHODS.has(c.req.method) && c.req.header('upgrade') === undefined;
    const isChecked = c.get('credentialSource') === 'cookie' && !isSafe;
    if (isChecked && !isTrustedOrigin(c.req.raw.headers, options)) {
      throw forbidden('A page of another site may not do this with your session.');
    }
    await next();
  });
}

/** Sec-Fetch-Site where the browser sends it (Fetch Metadata), else Origin; absent means no. */
function isTrustedOrigin(headers: Headers, options: { publicUrl: string; corsOrigins: readonly string[] }): boolean {
  const origin = headers.get('origin');
  if (origin !== null && options.corsOrigins.includes(origin)) return true;
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  return origin === options.publicUrl;
}
