import { Hono } from 'hono';
import { createSharedRun } from '../cache/shared-run.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { HttpEnv } from './context.ts';

/** A condition that must hold before the gateway takes requests. Rejects with the reason if it does not. */
export type ReadinessCheck = () => Promise<void>;

type CheckResult = readonly [name: string, result: 'ok' | 'failed'];

/** The dependencies of the health routes. */
export interface HealthRoutesOptions {
  checks: Readonly<Record<string, ReadinessCheck>>;
  metrics: Metrics;
  /** Extra data in the response of `/readyz`: numbers for operators, no secrets and no names. */
  readDetails: () => Record<string, unknown>;
  /** Whether the gateway is shutting down, so that load balancers should stop sending requests. */
  isDraining: () => boolean;
  onFailure: (check: string, error: unknown) => void;
}

/** Routes without authentication. `/healthz`: liveness. `/readyz`: readiness. `/metrics`: Prometheus metrics. */
export function createHealthRoutes({
  checks,
  metrics,
  readDetails,
  isDraining,
  onFailure,
}: HealthRoutesOptions): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();

  routes.get('/healthz', (c) => c.json({ status: 'ok' }));

  const failing = new Set<string>();
  const runCheck = async ([name, check]: [string, ReadinessCheck]): Promise<CheckResult> => {
    try {
      await check();
      failing.delete(name);
      return [name, 'ok'];
    } catch (error) {
      // Reported once when the check starts to fail, not at each request.
      if (!failing.has(name)) onFailure(name, error);
      failing.add(name);
      return [name, 'failed'];
    }
  };
  // The routes are public. Each run queries the database, or formats all metrics, so concurrent requests share one run.
  const runChecks = createSharedRun(() => Promise.all(Object.entries(checks).map(runCheck)));
  const formatMetrics = createSharedRun(metrics.format);

  routes.get('/readyz', async (c) => {
    const results = [...(await runChecks())];
    if (isDraining()) results.push(['draining', 'failed']);
    const isReady = results.every(([, result]) => result === 'ok');
    const status = isReady ? 'ok' : 'failed';
    return c.json({ status, checks: Object.fromEntries(results), details: readDetails() }, isReady ? 200 : 503);
  });

  routes.get('/metrics', async (c) => c.body(await formatMetrics(), 200, { 'content-type': metrics.contentType }));

  return routes;
}
