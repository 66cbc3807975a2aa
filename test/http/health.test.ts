// On both databases: how a lost database looks.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { createHealthRoutes } from '../../src/http/health-routes.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createId } from '../graphql/config-operations.ts';
import { openEvents } from '../graphql/sse-client.ts';
import { onMainDatabase, openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

let database: Database;
let gateway: TestGateway;
/** Intercepts the readiness checks' own queries; Prisma has a separate connection to the database. */
let failure: Error | undefined;

beforeAll(async () => {
  database = await openTestDatabase();
  const query: Database['query'] = (sql, parameters) =>
    failure === undefined ? database.query(sql, parameters) : Promise.reject(failure);
  gateway = await createTestGateway({
    database: { ...database, query },
    env: { GATEHOUSE_TRUSTED_PROXIES: '10.0.0.0/8' },
  });
});
afterAll(async () => {
  await gateway?.close();
  await database?.close();
});

async function readiness() {
  const response = await gateway.fetch('/readyz');
  const { details, ...body } = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body, details };
}

const readDetails = () => ({});
const onFailure = () => undefined;

const ALL_GOOD = { database: 'ok', migrations: 'ok', change_feed: 'ok', encryption_keys: 'ok' };

describe('/readyz', () => {
  test('is 200 for anybody while everything works', async () => {
    const { status, body, details } = await readiness();
    expect({ status, body }).toEqual({ status: 200, body: { status: 'ok', checks: ALL_GOOD } });
    const lag = { revision: 0, unread: 0, verified_ms_ago: expect.any(Number), listening: expect.any(Boolean) };
    expect(details).toEqual({ change_feed: lag });
  });

  test('is 503 and names the database when it does not answer; only the log has the reason', async () => {
    failure = new Error('the reason is for the log');
    const { status, body } = await readiness();
    failure = undefined;
    const checks = { ...ALL_GOOD, database: 'failed', migrations: 'failed' };
    expect({ status, body }).toEqual({ status: 503, body: { status: 'failed', checks } });
    expect(gateway.logs()).toContain('the reason is for the log');
    expect((await readiness()).status).toBe(200);
  });

  test('is 503 when the database is not at the schema of this build', async () => {
    await database.query('UPDATE _prisma_migrations SET checksum = reverse(checksum)');
    const { status, body } = await readiness();
    await database.query('UPDATE _prisma_migrations SET checksum = reverse(checksum)');
    expect({ status, body }).toEqual({
      status: 503,
      body: { status: 'failed', checks: { ...ALL_GOOD, migrations: 'failed' } },
    });
    expect((await readiness()).status).toBe(200);
  });

  test('is 503 when a key differs from the one that the database knows', async () => {
    const [key] = await database.query('SELECT canary FROM encryption_keys');
    const canary = String(key?.['canary']);
    const other = `${canary.slice(0, -1)}${canary.endsWith('A') ? 'B' : 'A'}`.replace(/^v2:./, (start) =>
      start === 'v2:A' ? 'v2:B' : 'v2:A',
    );
    await database.query('UPDATE encryption_keys SET canary = $1', [other]);
    const { status, body } = await readiness();
    await database.query('UPDATE encryption_keys SET canary = $1', [canary]);
    expect({ status, body }).toEqual({
      status: 503,
      body: { status: 'failed', checks: { ...ALL_GOOD, encryption_keys: 'failed' } },
    });
    expect((await readiness()).status).toBe(200);
  });

  test('is 503 while the gateway drains', async () => {
    let isDraining = false;
    const metrics = createMetrics(() => ({ total: 1, idle: 1, waiting: 0 }));
    const checks = { database: () => Promise.resolve() };
    const routes = createHealthRoutes({ checks, metrics, readDetails, isDraining: () => isDraining, onFailure });
    const statuses = async () => [(await routes.request('/readyz')).status, (await routes.request('/healthz')).status];
    expect(await statuses()).toEqual([200, 200]);
    isDraining = true;
    expect(await statuses()).toEqual([503, 200]);
  });
});

test('concurrent requests share one run, and a failure is logged when it starts, not each time', async () => {
  let runs = 0;
  let isGood = true;
  const told: string[] = [];
  const routes = createHealthRoutes({
    checks: {
      database: async () => {
        runs += 1;
        if (!isGood) throw new Error('gone');
      },
    },
    metrics: createMetrics(() => ({ total: 1, idle: 1, waiting: 0 })),
    readDetails,
    isDraining: () => false,
    onFailure: (check) => told.push(check),
  });
  const ask = async () => (await routes.request('/readyz')).status;
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200]);
  expect(runs).toBe(1);
  isGood = false;
  expect([await ask(), await ask()]).toEqual([503, 503]);
  expect(told).toEqual(['database']);
  isGood = true;
  expect(await ask()).toBe(200);
  isGood = false;
  expect(await ask()).toBe(503);
  expect(told).toEqual(['database', 'database']);
});

test("/healthz is 200 as long as the process lives, whatever the database's state", async () => {
  failure = new Error('gone');
  const response = await gateway.fetch('/healthz');
  failure = undefined;
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
});

describe.runIf(onMainDatabase)('/metrics', () => {
  const lines = async (pattern: RegExp) => {
    const response = await gateway.fetch('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    return (await response.text()).split('\n').filter((line) => pattern.test(line));
  };
  const outcomes = (operation: string) =>
    lines(new RegExp(`^gatehouse_graphql_operations_total\\{operation="${operation}"`));

  test('counts operations by name and outcome', async () => {
    const { admin, member } = gateway.tokens;
    for (const token of [admin, member, member])
      await gateway.graphql('query Counted { users { totalCount } }', { token });
    expect(await outcomes('Counted')).toEqual([
      'gatehouse_graphql_operations_total{operation="Counted",type="query",outcome="ok"} 1',
      'gatehouse_graphql_operations_total{operation="Counted",type="query",outcome="FORBIDDEN"} 2',
    ]);
    await gateway.graphql('mutation Wrong($id: UUID!) { deleteUser(id: $id) { deletedId } }', {
      token: admin,
      variables: { id: 'x' },
    });
    expect(await outcomes('Wrong')).toEqual([
      'gatehouse_graphql_operations_total{operation="Wrong",type="mutation",outcome="VALIDATION_FAILED"} 1',
    ]);
  });

  test('counts requests by route, not by path', async () => {
    await gateway.fetch('/auth/sign-in?token=not-in-the-metrics');
    await gateway.fetch('/nowhere/at/all');
    const requests = await lines(/^gatehouse_http_request_duration_seconds_count/);
    expect(requests.join('\n')).toContain('route="/auth/sign-in",status="401"');
    expect(requests.join('\n')).toContain('route="unmatched",status="404"');
    expect(requests.join('\n')).not.toMatch(/nowhere|not-in-the-metrics/);
  });

  test('cover pool, memory and event loop', async () => {
    for (const name of [
      'gatehouse_database_connections',
      'nodejs_eventloop_lag_seconds',
      'process_resident_memory_bytes',
    ]) {
      expect(await lines(new RegExp(`^${name}`)), name).not.toEqual([]);
    }
  });

  test('show the position of the change feed and its number of subscribers', async () => {
    const stream = await openEvents(gateway, gateway.tokens.admin);
    expect((await stream.nextOfAny())?.type).toBe('BOOKMARK');
    await createId(gateway);
    expect((await stream.next())?.type).toBe('ADDED');
    const read = async (name: string) => Number((await lines(new RegExp(`^${name}[ {]`)))[0]?.split(' ').at(-1));
    expect(await read('gatehouse_streams')).toBe(1);
    expect(await read('gatehouse_websockets')).toBe(0);
    expect(await read('gatehouse_change_feed_revision')).toBe(1);
    expect(await read('gatehouse_change_feed_unread')).toBe(0);
    expect(await read('gatehouse_change_feed_delay_seconds_count')).toBe(1);
    expect(await read('gatehouse_change_feed_verified_age_seconds')).toBeLessThan(60);
    expect([0, 1]).toContain(await read('gatehouse_change_feed_listening'));
    expect(await lines(/^gatehouse_stream_events_total/)).toEqual([
      'gatehouse_stream_events_total{type="BOOKMARK"} 1',
      'gatehouse_stream_events_total{type="ADDED"} 1',
    ]);
    await stream.close();
    await expect.poll(() => read('gatehouse_streams')).toBe(0);
  });

  test('do not grow with invented names, nor with their length', async () => {
    await gateway.graphql(`query ${'L'.repeat(2_000)} { viewer { id } }`, { token: gateway.tokens.member });
    for (let index = 0; index < 250; index += 1) {
      await gateway.graphql(`query Made${index}Up { viewer { id } }`, { token: gateway.tokens.member });
    }
    expect((await lines(/^gatehouse_graphql_operations_total/)).length).toBeLessThan(210);
    expect((await outcomes('other')).length).toBeGreaterThan(0);
    expect(await lines(/L{200}/)).toEqual([]);
  });
});

describe.runIf(onMainDatabase)('the id of a request', () => {
  const ask = (id: string, from?: string, headers: Record<string, string> = {}) =>
    gateway.fetch('/healthz', { headers: { 'x-request-id': id, ...headers } }, from);

  test('is in the answer and in the log, and a trusted proxy may set it', async () => {
    const response = await ask('proxy-0123.abc', '10.1.2.3');
    expect(response.headers.get('x-request-id')).toBe('proxy-0123.abc');
    expect(gateway.logs()).toContain('"requestId":"proxy-0123.abc"');
  });

  test.each(['', 'short', 'a'.repeat(65), 'with space in it', 'quote"in-it', '<script>alert(1)'])(
    'is generated if the given one is %j',
    async (given) => {
      const response = await ask(given, '10.1.2.3');
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test.each<[string, string | undefined, Record<string, string>]>([
    ['anybody else', '203.0.113.5', {}],
    ['a caller who says that they are a proxy', '203.0.113.5', { 'x-forwarded-for': '10.1.2.3' }],
    ['a caller without an address', undefined, {}],
  ])('is generated for %s', async (_name, from, headers) => {
    const response = await ask('caller-0123.abc', from, headers);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(gateway.logs()).not.toContain('caller-0123.abc');
  });
});
