import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import { NOBODY, viewerUserId } from '../policy/viewer.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { runInRequest } from '../telemetry/request-scope.ts';
import type { HttpEnv } from './context.ts';

/** Request ids that are safe to log, even from a proxy that passes on what its callers send. */
const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** Requested every few seconds, so logged at debug level only. */
const QUIET_ROUTES = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Assigns an id to each request (a trusted proxy's own, if it sends one: other callers could disguise their entries in
 * the audit log with it), logs one line for it and counts it. Logs the route's pattern, but no paths, queries,
 * headers or bodies, because they can contain secrets such as a sign-in link.
 */
export function reportRequests(options: {
  log: Logger;
  metrics: Metrics;
  addressOf: (c: Context<HttpEnv>) => string | undefined;
  isFromProxy: (c: Context<HttpEnv>) => boolean;
}) {
  const { log, metrics, addressOf, isFromProxy } = options;
  return createMiddleware<HttpEnv>(async (c, next) => {
    const startedAt = performance.now();
    const given = isFromProxy(c) ? c.req.header('x-request-id') : undefined;
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
    c.set('requestId', requestId);
    c.set('viewer', NOBODY);
    c.set('credentialSource', 'none');
    await runInRequest({ requestId, address: addressOf(c) }, next);
    c.res.headers.set('x-request-id', requestId);
    const durationMs = performance.now() - startedAt;
    const { method } = c.req;
    const { status } = c.res;
    // The last route that is not middleware. If a path has several handlers, they have the same pattern.
    const route = matchedRoutes(c).findLast(({ path }) => path !== '/*')?.path ?? 'unmatched';
    metrics.countRequest({ method, route, status, seconds: durationMs / 1_000 });
    const level = QUIET_ROUTES.has(route) ? 'debug' : 'info';
    log[level](
      { requestId, method, route, status, userId: viewerUserId(c.get('viewer')), durationMs: Math.round(durationMs) },
      'request',
    );
  });
}
