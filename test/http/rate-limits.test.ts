import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../src/http/node-server.ts';
import { createId } from '../graphql/config-operations.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { startModernServer } from '../setup/mcp-servers.ts';
import { openSocket } from '../setup/socket-client.ts';

const OPERATIONS = 20;
const CHECKS = 3;

let gateway: TestGateway;
let server: Awaited<ReturnType<typeof startModernServer>>;
beforeAll(async () => {
  server = await startModernServer();
  gateway = await createTestGateway({
    env: {
      GATEHOUSE_MAX_OPERATIONS_PER_MINUTE: String(OPERATIONS),
      GATEHOUSE_MAX_SERVER_CHECKS_PER_MINUTE: String(CHECKS),
      GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8',
      GATEHOUSE_CORS_ORIGINS: 'https://chat.example.com',
    },
  });
});
afterAll(async () => {
  await gateway?.close();
  await server?.close();
});
beforeEach(() => gateway.clock.advance(60_000));

const QUERY = JSON.stringify({ query: '{ viewer { id } }' });
const json = { 'content-type': 'application/json' };
const as = (role: keyof TestGateway['tokens']) => ({ authorization: `Bearer ${gateway.tokens[role]}` });
const ask = (role: keyof TestGateway['tokens'], path: string, init: RequestInit = {}) =>
  gateway.fetch(path, { ...init, headers: { ...as(role), ...(init.headers as Record<string, string>) } });
const useUp = async (role: keyof TestGateway['tokens']) => {
  for (let index = 0; index < OPERATIONS; index += 1) {
    expect((await ask(role, '/graphql', { method: 'POST', headers: json, body: QUERY })).status).toBe(200);
  }
};

describe('operations of a user', () => {
  test.each<[string, string, RequestInit]>([
    ['GraphQL', '/graphql', { method: 'POST', headers: json, body: QUERY }],
    ['GraphQL by GET', '/graphql?query={viewer{id}}', {}],
    [
      'server-sent events',
      '/graphql',
      { method: 'POST', headers: { ...json, accept: 'text/event-stream' }, body: QUERY },
    ],
    ['REST', '/api/experimental/mcp/servers', {}],
    ['a door', '/mcp', { method: 'POST', headers: json, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }],
    ['a session', '/auth/session', { method: 'POST' }],
  ])('are limited by the minute, whatever the way: %s', async (_name, path, init) => {
    await useUp('member');
    gateway.clock.advance(15_000);
    const refused = await ask('member', path, init);
    expect(refused.status).toBe(429);
    expect(await refused.text()).toContain('RATE_LIMITED');
    expect(refused.headers.get('retry-after')).toBe('45');
    expect(refused.headers.get('ratelimit-policy')).toBe(`"operations";q=${OPERATIONS};w=60`);
    expect(refused.headers.get('ratelimit')).toBe('"operations";r=0;t=45');
    // Neither others nor the next minute.
    expect((await ask('auditor', '/api/experimental/mcp/servers')).status).toBe(200);
    gateway.clock.advance(45_000);
    expect((await ask('member', '/api/experimental/mcp/servers')).status).toBe(200);
  });

  test('are counted in each answer, which pages of allowed origins can read', async () => {
    const rests: (string | null)[] = [];
    for (let index = 0; index < 3; index += 1) {
      rests.push((await ask('service', '/api/experimental/mcp/servers')).headers.get('ratelimit'));
    }
    expect(rests).toEqual([19, 18, 17].map((rest) => `"operations";r=${rest};t=60`));
    const allowed = await ask('service', '/api/experimental/mcp/servers', {
      headers: { origin: 'https://chat.example.com' },
    });
    expect(allowed.headers.get('access-control-expose-headers')?.split(',')).toEqual([
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'ETag',
    ]);
  });

  test('are limited on a WebSocket, too, whose other operations go on', async () => {
    const listening = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
    try {
      const socket = await openSocket(listening.port);
      await socket.init({ authorization: `Bearer ${gateway.tokens.member}` });
      await useUp('member');
      socket.send({ type: 'subscribe', id: 'late', payload: { query: '{ viewer { id } }' } });
      expect(await socket.next()).toMatchObject({
        type: 'error',
        payload: [{ extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 60 } }],
      });
      gateway.clock.advance(60_000);
      socket.send({ type: 'subscribe', id: 'next', payload: { query: '{ viewer { id } }' } });
      expect(await socket.next()).toMatchObject({ type: 'next', id: 'next' });
      socket.socket.close();
    } finally {
      await listening.close(0);
    }
  });
});

describe('what calls other systems', () => {
  const DISCOVER =
    'mutation ($url: String!) { discoverMcpServerOAuth(input: { url: $url }) { discovery { __typename } } }';
  const FORMER = 'query ($url: String!) { discoverMcpServerOAuth(url: $url) { __typename } }';
  const TEST = 'mutation ($url: String!) { testMcpServer(input: { settings: { url: $url } }) { __typename } }';
  let id: string;
  let oauthId: string;
  beforeAll(async () => {
    id = await createId(gateway, { url: server.url, enabled: true });
    oauthId = await createId(gateway, {
      enabled: true,
      authType: 'OAUTH2',
      oauth2ClientId: 'client',
      oauth2AuthUrl: 'https://a.example.com/authorize',
      oauth2TokenUrl: 'https://a.example.com/token',
    });
  });

  const countEntries = async () => {
    const actions = "('mcpServerConfig.test', 'mcpServerConfig.discoverOAuth', 'mcpServerTools.refresh')";
    const [row] = await gateway.database.query(
      `SELECT count(*)::int AS count FROM audit_entries WHERE action IN ${actions}`,
    );
    return row?.['count'];
  };

  const spend = async () => {
    for (let index = 0; index < CHECKS; index += 1) {
      const { errors } = await gateway.graphql(TEST, { token: gateway.tokens.admin, variables: { url: server.url } });
      expect(errors).toBeUndefined();
    }
  };

  test('is limited by the minute for a user, all of it together, before anything is called or recorded', async () => {
    await spend();
    const before = [server.seen.length, await countEntries()];
    const REFRESH = `mutation { refreshMcpServerTools(input: { id: "${id}" }) { __typename } }`;
    for (const query of [DISCOVER, FORMER, TEST, REFRESH]) {
      const refused = await ask('admin', '/graphql', {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ query, variables: { url: server.url } }),
      });
      const { errors } = (await refused.json()) as any;
      expect(errors[0].extensions, query).toEqual({ code: 'RATE_LIMITED', retryAfterSeconds: 60 });
      expect(refused.headers.get('retry-after')).toBe('60');
      expect(refused.headers.get('ratelimit')).toContain('"server-checks";r=0;t=60');
      expect(refused.headers.get('ratelimit-policy')).toContain(`"server-checks";q=${CHECKS};w=60`);
    }
    for (const [method, path] of [
      ['GET', `/${oauthId}/oauth2/connect`],
      ['POST', `/${id}/test`],
    ] as const) {
      const refused = await ask('admin', `/api/experimental/mcp/servers${path}`, {
        method,
        ...(method === 'POST' && { headers: json, body: '{}' }),
      });
      expect([refused.status, refused.headers.get('retry-after')], path).toEqual([429, '60']);
    }
    // An operation that calls nobody is not affected, and neither is somebody else.
    expect((await ask('admin', '/api/experimental/mcp/servers')).status).toBe(200);
    const connect = `/api/experimental/mcp/servers/${oauthId}/oauth2/connect`;
    expect((await ask('member', connect)).status).toBe(307);
    expect([server.seen.length, await countEntries()]).toEqual(before);
    gateway.clock.advance(60_000);
    expect((await ask('admin', connect)).status).toBe(307);
  });
});
