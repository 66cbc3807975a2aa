import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

// Found with the test suite of graphql-ws: a stranger could fill the error log. This tries what else they can send.

let gateway: TestGateway;
let server: RunningServer;
const printed: unknown[][] = [];
beforeAll(async () => {
  gateway = await createTestGateway();
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
  for (const name of ['debug', 'error', 'info', 'log', 'warn'] as const) {
    vi.spyOn(console, name).mockImplementation((...values: unknown[]) => void printed.push(values));
  }
});
afterAll(async () => {
  vi.restoreAllMocks();
  await server?.close(1_000);
  await gateway?.close();
});

const HOST = 'Host: localhost';
const JSON_BODY = 'Content-Type: application/json';
const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const CALLBACK = '/api/experimental/mcp/servers/5f1c9a52-6f0f-4d3c-9f51-0c5ad9a3a0d4/oauth2/callback';
const request = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;

/** What is sent, and the first line of the answer. */
const REQUESTS: [string, string | Buffer, RegExp][] = [
  ['TRACE', request('TRACE / HTTP/1.1', HOST), /405/],
  ['CONNECT', request('CONNECT evil.example:1 HTTP/1.1', HOST), /^$/],
  ['QUERY', request('QUERY /graphql HTTP/1.1', HOST), /404|405/],
  ['an unknown method', request('CANARY / HTTP/1.1', HOST), /400/],
  ['OPTIONS *', request('OPTIONS * HTTP/1.1', HOST), /400/],
  ['no host', request('GET / HTTP/1.1'), /400/],
  ['a broken host', request('GET / HTTP/1.1', 'Host: a canary<>'), /400/],
  ['a host with user info', request('GET / HTTP/1.1', 'Host: canary:canary@localhost'), /400/],
  ['an absolute URL', request('GET http://localhost/graphql HTTP/1.1', HOST), /401/],
  ['an absolute URL of another host', request('GET http://canary.example/graphql HTTP/1.1', HOST), /421/],
  ['a broken absolute URL', request('GET http://[::1 HTTP/1.1', HOST), /400/],
  ['another scheme', request('GET ftp://canary/y HTTP/1.1', HOST), /400/],
  ['a broken escape in the path', request('GET /%zz/%ff%00canary HTTP/1.1', HOST), /404/],
  ['a broken escape in an id', request('GET /api/experimental/mcp/servers/%ff%zz HTTP/1.1', HOST), /401/],
  ['a broken escape in a query', request('GET /auth/sign-in?token=%zz%ffcanary HTTP/1.1', HOST), /401/],
  ['bytes in a cookie', Buffer.from(request('GET /x HTTP/1.1', HOST, 'Cookie: a=\xff\xfe; =;;'), 'latin1'), /404/],
  ['a broken cookie', request('GET /x HTTP/1.1', HOST, 'Cookie: gatehouse_session=%E0%A4%A; __proto__=1'), /403/],
  ['bytes in a token', Buffer.from(request('GET /x HTTP/1.1', HOST, 'Authorization: Bearer \xff'), 'latin1'), /404/],
  ['a JWT', request(`GET ${CALLBACK} HTTP/1.1`, HOST, 'Authorization: Bearer eyJhbGciOiJub25lIn0.e30.'), /401/],
  ['a control character', request('GET / HTTP/1.1', HOST, 'X-Forwarded-For: \x01'), /400/],
  ['a request id', request('GET /x HTTP/1.1', HOST, 'X-Request-Id: canary"},{"level":"error"'), /404/],
  [
    'a broken chunk',
    request('POST /graphql HTTP/1.1', HOST, JSON_BODY, 'Transfer-Encoding: chunked', '', 'zz'),
    /40[01]/,
  ],
  ['two lengths', request('POST /graphql HTTP/1.1', HOST, 'Transfer-Encoding: chunked', 'Content-Length: 3'), /400/],
  ['a negative length', request('POST /graphql HTTP/1.1', HOST, 'Content-Length: -1'), /400/],
  ['a large header', request('GET / HTTP/1.1', HOST, `X-Canary: ${'a'.repeat(20_000)}`), /431/],
  ['an expectation', request('POST /graphql HTTP/1.1', HOST, 'Expect: canary', 'Content-Length: 2', '', '{}'), /417/],
  ['TLS', Buffer.from('1603010200010001fc0303', 'hex'), /400/],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /400/],
  ['a callback', request(`GET ${CALLBACK}?state=%00&error=%0acanary HTTP/1.1`, HOST), /401/],
  ['a callback as a page', request(`GET ${CALLBACK}?error=%0acanary HTTP/1.1`, HOST, 'Accept: text/html'), /401/],
  ['a client document', request('GET /api/experimental/mcp/servers/%00/oauth2/client.json HTTP/1.1', HOST), /400/],
  ['an origin', request('DELETE /auth/session HTTP/1.1', HOST, 'Cookie: gatehouse_session=x', 'Origin: canary'), /403/],
  ['a WebSocket without a key', request('GET /graphql HTTP/1.1', HOST, ...UPGRADE), /400/],
  ['a WebSocket of a future version', request('GET /graphql HTTP/1.1', HOST, ...UPGRADE, KEY), /400|426/],
  ['a WebSocket with a broken host', request('GET /graphql HTTP/1.1', 'Host: a b', ...UPGRADE, KEY), /400/],
  ['a WebSocket by POST', request('POST /graphql HTTP/1.1', HOST, ...UPGRADE, KEY), /40[145]/],
];

test.each(REQUESTS)('%s is no error of the gateway', async (_what, bytes, status) => {
  const before = gateway.logs().length;
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  let answer = '';
  socket.on('error', () => undefined);
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk;
    // Not before: a request whose client ends the connection may get no answer.
    socket.end();
  });
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  expect(answer.split('\r\n')[0]).toMatch(status);
  const lines = gateway.logs().slice(before).split('\n').filter(Boolean);
  expect(lines.filter((line) => !/^\{"level":"(?:info|debug)"/.test(line) || /canary|"err"/i.test(line))).toEqual([]);
  expect(printed).toEqual([]);
});

test.each(['member', 'nobody'] as const)('a %s who breaks off in the middle causes no error', async (caller) => {
  const before = gateway.logs().length;
  const authorization = caller === 'member' ? [`Authorization: Bearer ${gateway.tokens.member}`] : [];
  for (const path of ['/graphql', '/api/experimental/chats', '/api/experimental/mcp/servers', '/auth/session']) {
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    const closed = once(socket, 'close');
    socket.write(
      `${request(`POST ${path} HTTP/1.1`, HOST, JSON_BODY, ...authorization, 'Content-Length: 999')}{"q`,
      () => socket.resetAndDestroy(),
    );
    await closed;
  }
  await expect.poll(() => gateway.logs().slice(before).split('"msg":"request"').length).toBeGreaterThan(2);
  const lines = gateway.logs().slice(before).split('\n').filter(Boolean);
  expect(lines.filter((line) => !line.startsWith('{"level":"info"'))).toEqual([]);
  expect(printed).toEqual([]);
});
