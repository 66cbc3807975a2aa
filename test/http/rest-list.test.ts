import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { McpServerConfigRecord } from '../../src/data/records.ts';
import type { CatalogueService } from '../../src/domain/catalogue/catalogue-service.ts';
import type { ConfigLists } from '../../src/domain/configs/config-lists.ts';
import type { ConfigService } from '../../src/domain/configs/config-service.ts';
import type { ConnectionService } from '../../src/domain/connections/connection-service.ts';
import type { ServerTests } from '../../src/domain/upstreams/server-test.ts';
import type { HttpEnv } from '../../src/http/context.ts';
import { createServerRoutes } from '../../src/http/rest/server-routes.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createRestClient, type RestClient, SERVERS } from './rest-client.ts';

let gateway: TestGateway;
let rest: RestClient;

beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
});
afterAll(() => gateway.close());

test('an empty list is an empty array', async () => {
  expect(await rest.call('member', 'GET', SERVERS)).toMatchObject({ status: 200, text: '[]' });
});

test('the list has every server once, by display name, even if many share a name', async () => {
  // More than two chunks, with equal names across the end of the first.
  await gateway.database.query(`
    INSERT INTO mcp_server_configs (id, display_name, slug, url, enabled)
    SELECT gen_random_uuid(), 'Name ' || lpad((CASE WHEN n BETWEEN 450 AND 550 THEN 500 ELSE n END)::text, 4, '0'),
           's' || n, 'https://mcp.example.com/', n % 10 <> 0
    FROM generate_series(1, 1100) n`);
  const { body } = await rest.call('admin', 'GET', SERVERS);
  const names: string[] = body.map((each: { display_name: string }) => each.display_name);
  expect(names).toEqual([...names].sort());
  expect(new Set(body.map((each: { id: string }) => each.id)).size).toBe(1_100);
  expect(body).toHaveLength(1_100);
  const seen = await rest.call('member', 'GET', SERVERS);
  expect(seen.body).toHaveLength(990);
});

test("the list loads the caller's connections once for all OAuth servers", async () => {
  const asked: (readonly string[])[] = [];
  const connections = {
    async listOwn(_viewer, ids) {
      asked.push(ids);
      const configId = 'id-2';
      const tokens = { tokenId: 't', version: 1, secretKeyDigests: [], needsMoreScopes: false };
      return new Map([[configId, { kind: 'connected', configId, endsAt: null, blockedReason: null, ...tokens }]]);
    },
    isConnected: (config, connection) => config.authType !== 'oauth2' || connection?.kind === 'connected',
  } satisfies Partial<ConnectionService>;
  const records = ['oauth2', 'none', 'oauth2'].map((authType, index) => ({
    id: `id-${index}`,
    authType,
    oauth2Scopes: [],
    createdAt: new Date(0),
    updatedAt: new Date(0),
  })) as unknown as McpServerConfigRecord[];
  const configLists = { list: async () => ({ rows: records, hasMore: false }) } satisfies Partial<ConfigLists>;
  const app = new Hono<HttpEnv>()
    .use(async (c, next) => {
      const credential = { kind: 'bootstrap' } as const;
      c.set('viewer', { kind: 'user', userId: 'u', role: 'admin', credential });
      await next();
    })
    .route(
      '/',
      createServerRoutes({
        configs: {} as ConfigService,
        configLists: configLists as unknown as ConfigLists,
        connections: connections as unknown as ConnectionService,
        serverTests: {} as ServerTests,
        catalogue: {} as CatalogueService,
        oauthUrls: { redirectUri: () => '' },
        experiments: new Set(['agents']),
        answerStamp: { fresh: () => 'same', current: () => 'same' },
      }),
    );
  const response = await app.request(SERVERS);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body = (await response.json()) as { auth_connected: boolean }[];
  expect(body.map((each) => each.auth_connected)).toEqual([false, true, true]);
  expect(asked).toEqual([['id-0', 'id-2']]);
});
