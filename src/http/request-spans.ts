import { readTraceContext } from '../mcp/request-meta.ts';
import type { Surrounding, Tracing } from '../telemetry/tracing.ts';

/** Probes and scrapes come every few seconds, and nobody looks at their spans. */
const UNTRACED: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** The methods by name. Callers can make up others. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);

/** Begins the spans of requests. */
export type RequestSpans = ReturnType<typeof createRequestSpans>;

/** Creates what begins the spans of requests. A span continues the trace in the caller's headers. */
export function createRequestSpans({ tracing, scheme }: { tracing: Tracing; scheme: string }) {
  return {
    /** @returns null if it is not recorded */
    begin({
      method,
      path,
      requestId,
      startedAt,
      header,
    }: {
      method: string;
      path: string;
      requestId: string;
      startedAt?: number | undefined;
      header: (name: string) => string | undefined;
    }): Surrounding {
      if (UNTRACED.has(path)) return null;
      const remote = readTraceContext({ traceparent: header('traceparent'), tracestate: header('tracestate') });
      return tracing.begin({
        ...{ name: toMethod(method), kind: 'server', remote, startedAt },
        attributes: {
          'http.request.method': toMethod(method),
          'url.scheme': scheme,
          'gatehouse.request_id': requestId,
        },
      });
    },
  };
}

function toMethod(method: string): string {
  return METHODS.has(method) ? method : '_OTHER';
}

/**
 * Ends the span of a request when its answer begins. It has the route's pattern, and neither the path nor the query, which
 * can contain secrets such as a sign-in link.
 */
export function endRequestSpan(
  span: Surrounding,
  { method, route, status, userId }: { method: string; route: string; status: number; userId: string | undefined },
): void {
  if (span == null) return;
  if (route !== 'unmatched') {
    span.rename(`${toMethod(method)} ${route}`);
    span.set({ 'http.route': route });
  }
  span.set({ 'http.response.status_code': status, 'user.id': userId });
  span.end(status >= 500 ? String(status) : undefined);
}
