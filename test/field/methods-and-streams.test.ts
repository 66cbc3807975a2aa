import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRestClient, minimalServer, type RestClient, SERVERS } from '../http/rest-client.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

let gateway: TestGateway;
let rest: RestClient;
beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
});
afterAll(() => gateway?.close());

const ID = '5f1c9a52-6f0f-4d3c-9f51-0c5ad9a3a0d4';

// Found by fuzzing REST: a wrong method at a known path was 404, which looks like a wrong address.
describe('a wrong method at a known address is 405 with the right ones', () => {
  test.each([
    ['PUT', SERVERS, 'GET, HEAD, POST'],
    ['PUT', `${SERVERS}/`, 'GET, HEAD, POST'],
    ['DELETE', SERVERS, 'GET, HEAD, POST'],
    ['POST', `${SERVERS}/${ID}`, 'GET, HEAD, PATCH, DELETE'],
    ['PUT', `${SERVERS}/${ID}/`, 'GET, HEAD, PATCH, DELETE'],
    ['POST', `${SERVERS}/${ID}/oauth2/connect`, 'GET, HEAD'],
    ['POST', `${SERVERS}/${ID}/oauth2/disconnect`, 'DELETE'],
    ['GET', '/api/experimental/chats', 'POST'],
    ['PUT', `/api/experimental/chats/${ID}`, 'GET, HEAD, PATCH, DELETE'],
    ['GET', `/api/experimental/chats/${ID}/messages`, 'POST'],
    ['GET', '/auth/session', 'POST, DELETE'],
    ['PUT', '/auth/sign-in', 'GET, HEAD, POST'],
    ['GET', '/auth/sign-out', 'POST'],
    ['POST', '/auth/signed-out', 'GET, HEAD'],
    ['POST', '/auth/oidc/sign-in', 'GET, HEAD'],
    ['POST', '/auth/oidc/callback', 'GET, HEAD'],
    ['GET', '/auth/oidc/backchannel-logout', 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/readyz', 'GET, HEAD'],
    ['DELETE', '/metrics', 'GET, HEAD'],
    ['POST', '/api/openapi.json', 'GET, HEAD'],
    ['OPTIONS', SERVERS, 'GET, HEAD, POST'],
  ])('%s %s', async (method, path, allowed) => {
    for (const caller of ['admin', 'nobody'] as const) {
      const { status, headers, body } = await rest.call(caller, method, path);
      expect([status, headers.get('allow')]).toEqual([405, allowed]);
      expect(body).toEqual({
        code: 'VALIDATION_FAILED',
        message: `This address does not take ${method}: use ${allowed}.`,
      });
    }
  });

  test.each(['PUT', 'PATCH', 'DELETE'])('%s /graphql, in the format of GraphQL', async (method) => {
    const { status, headers, body } = await rest.call('admin', method, '/graphql');
    expect([status, headers.get('allow')]).toEqual([405, 'GET, POST']);
    expect(body).toEqual({
      errors: [{ message: expect.stringContaining(method), extensions: { code: 'VALIDATION_FAILED' } }],
    });
  });

  test.each(['GET', 'POST', 'DELETE'])('%s at an unknown address stays 404', async (method) => {
    for (const path of ['/api', '/api/experimental/mcp/server', `${SERVERS}/${ID}/oauth2`, '/nowhere']) {
      const { status, headers } = await rest.call('admin', method, path);
      expect([path, status, headers.get('allow')]).toEqual([path, 404, null]);
    }
  });
});

// nginx buffers an answer unless the header says no: events arrive late or never.
describe('every stream asks proxies not to buffer it', () => {
  const open = (query: string, accept = 'text/event-stream') =>
    gateway.fetch('/graphql', {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.tokens.member}`, 'content-type': 'application/json', accept },
      body: JSON.stringify({ query }),
    });

  test.each([
    ['a subscription', 'subscription { mcpServerConfigEvents { type } }'],
    ['a query as a stream', '{ viewer { id } }'],
    ['a refused subscription', 'subscription { mcpServerConfigEvents(after: "x") { type } }'],
    ['a document error', 'subscription { nothing }'],
  ])('%s', async (_what, query) => {
    const response = await open(query);
    await response.body?.cancel();
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(response.headers.get('x-accel-buffering')).toBe('no');
  });

  test('and other answers do not', async () => {
    const { headers } = await open('{ viewer { id } }', 'application/json');
    expect([headers.get('content-type'), headers.get('x-accel-buffering')]).toEqual([
      expect.stringMatching(/json/),
      null,
    ]);
    await rest.define(minimalServer('any'));
    expect((await rest.call('admin', 'GET', SERVERS)).headers.get('x-accel-buffering')).toBeNull();
  });
});
