import { createMiddleware } from 'hono/factory';
import { currentRequest, type LimitUse } from '../telemetry/request-scope.ts';
import type { HttpEnv } from './context.ts';

/** The header fields that tell about limits, for pages of other origins. */
export const RATE_LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy', 'Retry-After'] as const;

/**
 * Tells in each answer what is left of the limits that the request used (draft-ietf-httpapi-ratelimit-headers-10), and when
 * to come back if one of them is exceeded (RFC 9110, section 10.2.3), whatever the status and whoever made the answer.
 */
export function tellRateLimits() {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const limits = new Map<string, LimitUse>();
    const scope = currentRequest();
    if (scope !== undefined) scope.limits = limits;
    await next();
    for (const [name, value] of Object.entries(toRateLimitHeaders([...limits.values()])))
      c.res.headers.set(name, value);
  });
}

/** The header fields that tell about these limits. */
export function toRateLimitHeaders(uses: readonly LimitUse[]): Record<string, string> {
  if (uses.length === 0) return {};
  const exceeded = uses.filter(({ isExceeded }) => isExceeded);
  return {
    'RateLimit-Policy': uses
      .map(({ policy, quota, windowSeconds }) => `"${policy}";q=${quota};w=${windowSeconds}`)
      .join(', '),
    RateLimit: uses
      .map(({ policy, remaining, resetSeconds }) => `"${policy}";r=${remaining};t=${resetSeconds}`)
      .join(', '),
    ...(exceeded.length > 0 && {
      'Retry-After': String(Math.max(...exceeded.map(({ resetSeconds }) => resetSeconds))),
    }),
  };
}
