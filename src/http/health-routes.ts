import { Hono } from 'hono';
import type { Metrics } from '../telemetry/metrics.ts';
import type { HttpEnv } from './context.ts';

/** One thing that must be good before the gateway takes requests. Rejects with the reason when it is not. */
export type ReadinessCheck = () => Promise<void>;

type CheckResult = readonly [name: string, result: 'ok' | 'failed'];

/** What the health routes ask. */
export interface HealthRoutesOptions {
  checks: Readonly<Record<string, ReadinessCheck>>;
  metrics: Metrics;
  /** What `/readyz` tells beside the checks: numbers for operators, no secrets and no names. */
  readDetails: () => Record<string, unknown>;
  /** Whether the gateway is about to stop: load balancers should look elsewhere. */
  isDraining: () => boolean;
  onFailure: (check: string, error: unknown) => void;
}

/** `/healthz`: the process is alive. `/readyz`: it can serve. `/metrics`: Prometheus. For machines, without sign-in. */
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
      // Told when it begins, not each time that somebody asks.
      if (!failing.has(name)) onFailure(name, error);
      failing.add(name);
      return [name, 'failed'];
    }
  };
  // Anybody may ask, and each run asks the database: those who ask at once share one.
  let running: Promise<CheckResult[]> | undefined;
  const runChecks = (): Promise<CheckResult[]> => {
    running ??= Promise.all(Object.entries(checks).map(runCheck)).finally(() => {
      running = undefined;
    });
    return running;
  };

  routes.get('/readyz', async (c) => {
    const results = [...(await runChecks())];
    if (isDraining()) results.push(['draining', 'failed']);
    const isReady = results.every(([, result]) => result === 'ok');
    const status = isReady ? 'ok' : 'failed';
    return c.json({ status, checks: Object.fromEntries(results), details: readDetails() }, isReady ? 200 : 503);
  });

  routes.get('/metrics', async (c) =>
    c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
  );

  return routes;
}
