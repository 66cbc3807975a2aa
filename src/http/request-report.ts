import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import { NOBODY, viewerUserId } from '../policy/viewer.ts';
import { forFixedFields, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { runInRequest } from '../telemetry/request-scope.ts';
import { type Surrounding, toLogFields } from '../telemetry/tracing.ts';
import type { Bindings } from './client-address.ts';
import type { HttpEnv } from './context.ts';
import { endRequestSpan, type RequestSpans } from './request-spans.ts';

/** Request ids that are safe to log, even from a proxy that passes on what its callers send. */
const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** Requested every few seconds, so logged at debug level only. */
const QUIET_ROUTES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** A request that was answered. */
interface AnsweredRequest {
  requestId: string;
  method: string;
  /** The route's pattern. */
  route: string;
  status: number;
  userId: string | undefined;
  /** By `performance.now`. */
  startedAt: number;
  /** Null or undefined: it is not recorded. */
  span?: Surrounding;
}

/** Gives requests their ids, logs one line for each and counts it. */
export type RequestReport = ReturnType<typeof createRequestReport>;

/**
 * Creates the report. It logs the route's pattern, but no paths, queries, headers or bodies, because they can contain secrets such
 * as a sign-in link.
 */
export function createRequestReport({ log, metrics }: { log: Logger; metrics: Metrics }) {
  const fixed = forFixedFields(log);
  return {
    /** @param given the id that a trusted proxy sent: other callers could disguise their entries in the audit log with one */
    toRequestId: (given: string | undefined): string =>
      given !== undefined && REQUEST_ID.test(given) ? given : randomUUID(),

    report({ requestId, method, route, status, userId, startedAt, span }: AnsweredRequest): void {
      const durationMs = performance.now() - startedAt;
      metrics.countRequest({ method, route, status, seconds: durationMs / 1_000 });
      const level = QUIET_ROUTES.has(route) ? 'debug' : 'info';
      const fields = { requestId, method, route, status, userId, durationMs: Math.round(durationMs) };
      fixed[level](span == null ? fields : { ...fields, ...toLogFields(span) }, 'request');
      endRequestSpan(span, { method, route, status, userId });
    },
  };
}

/** Assigns an id to each request, and reports it when it is answered. */
export function reportRequests(options: {
  requestReport: RequestReport;
  addressOf: (c: Context<HttpEnv>) => string | undefined;
  isFromProxy: (bindings: Bindings) => boolean;
  /** Undefined: there is no tracing. */
  spans: RequestSpans | undefined;
}) {
  const { requestReport, addressOf, isFromProxy, spans } = options;
  return createMiddleware<HttpEnv>(async (c, next) => {
    const startedAt = performance.now();
    const requestId = requestReport.toRequestId(
      isFromProxy(c.env as Bindings) ? c.req.header('x-request-id') : undefined,
    );
    c.set('requestId', requestId);
    c.set('viewer', NOBODY);
    c.set('credentialSource', 'none');
    const span = spans?.begin({
      method: c.req.method,
      path: c.req.path,
      requestId,
      header: (name) => c.req.header(name),
    });
    await runInRequest({ requestId, address: addressOf(c), ...(span !== undefined && { span }) }, next);
    c.res.headers.set('x-request-id', requestId);
    const { method } = c.req;
    const { status } = c.res;
    requestReport.report({
      ...{ requestId, method, status, startedAt, span },
      route: findRoute(c),
      userId: viewerUserId(c.get('viewer')),
    });
  });
}

/** The pattern of the last route that is not middleware. If a path has several handlers, they have the same pattern. */
export function findRoute(c: Context): string {
  return matchedRoutes(c).findLast(({ path }) => path !== '/*')?.path ?? 'unmatched';
}
