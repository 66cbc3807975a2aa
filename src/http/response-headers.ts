import { createMiddleware } from 'hono/factory';
import type { HttpEnv } from './context.ts';

/** One year. Browsers call this host only with https that long. Subdomains are for their own operators to decide. */
const TRANSPORT_SECURITY = 'max-age=31536000';

/** For responses that are not pages: a browser that shows one as a page loads nothing and puts it in no frame. */
const NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'";

/**
 * Adds the security headers to every response, errors and streams included. Routes can set their own
 * `Content-Security-Policy`, `Cache-Control` and `Referrer-Policy`.
 *
 * @param publicUrl decides whether browsers use https, not the connection: TLS may end at a proxy
 */
export function setResponseHeaders({ publicUrl }: { publicUrl: string }) {
  const isSecure = publicUrl.startsWith('https:');
  return createMiddleware<HttpEnv>(async (c, next) => {
    await next();
    // `c.header` would create a new response here, with a stream as its body.
    const { headers } = c.res;
    const setDefault = (name: string, value: string): void => {
      if (!headers.has(name)) headers.set(name, value);
    };
    headers.set('x-content-type-options', 'nosniff');
    // Fetches of allowed origins are not affected: they use CORS.
    headers.set('cross-origin-resource-policy', 'same-origin');
    // For browsers that do not know `frame-ancestors`.
    headers.set('x-frame-options', 'DENY');
    if (isSecure) headers.set('strict-transport-security', TRANSPORT_SECURITY);
    setDefault('content-security-policy', NO_CONTENT_POLICY);
    setDefault('cache-control', 'no-store');
    setDefault('referrer-policy', 'no-referrer');
    // nginx and the proxies that follow it would hold back the events of a stream until a buffer is full.
    if (headers.get('content-type')?.startsWith('text/event-stream')) headers.set('x-accel-buffering', 'no');
  });
}
