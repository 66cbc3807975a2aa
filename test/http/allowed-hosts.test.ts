// On the embedded database: it stores nothing.

import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { openSocket, type RawSocket } from '../setup/socket-client.ts';
import { openSession } from './browser-session.ts';
import { SERVERS } from './rest-client.ts';

const WHO = `/graphql?${new URLSearchParams({ query: '{ viewer { id } }' })}`;
const PROXY = '127.0.0.1';

let gateway: TestGateway;
let server: RunningServer;
beforeAll(async () => {
  gateway = await createTestGateway({
    env: {
      GATEHOUSE_PUBLIC_URL: 'https://gatehouse.example.com',
      GATEHOUSE_ALLOWED_HOSTS: 'Gatehouse.Internal, 10.0.0.5, 2001:db8::5, bücher.example',
      GATEHOUSE_TRUSTED_PROXIES: PROXY,
      GATEHOUSE_CORS_ORIGINS: 'https://chat.example.com',
    },
  });
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server?.close(0);
  await gateway?.close();
});

/** Sends a request over a real connection. @returns the status and the body */
async function ask(
  host: string,
  { method = 'GET', target = WHO, headers = {} as Record<string, string> } = {},
): Promise<{ status: number; body: string }> {
  const socket = connect(server.port, '127.0.0.1');
  const lines = Object.entries({ Authorization: `Bearer ${gateway.tokens.admin}`, ...headers, Connection: 'close' });
  const head = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  try {
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    const [received] = await Promise.all([text(socket), once(socket, 'close')]);
    return { status: Number(received.slice(9, 12)), body: received.slice(received.indexOf('\r\n\r\n') + 4) };
  } finally {
    socket.destroy();
  }
}

const GOOD = [
  'gatehouse.example.com',
  'GATEHOUSE.example.com:443',
  'gatehouse.example.com:8443',
  'localhost',
  'localhost:4000',
  '127.0.0.1:4000',
  '127.8.9.10',
  '[::1]:4000',
  'gatehouse.internal',
  '10.0.0.5:8080',
  '[2001:db8::5]',
  'xn--bcher-kva.example',
];
const BAD = [
  'evil.example',
  'gatehouse.example.com.evil.example',
  'evil-gatehouse.example.com',
  'sub.gatehouse.example.com',
  'example.com',
  'gatehouse.example.com.',
  'localhost.evil.example',
  'evil.localhost',
  '127.0.0.1.nip.io',
  '10.0.0.6',
  '192.168.1.1',
  '[2001:db8::6]',
  '0.0.0.0',
];

test.each(GOOD)('the host %s is served', async (host) => {
  expect((await ask(host)).status).toBe(200);
});

describe.each(BAD)('the host %s', (host) => {
  test('is refused', async () => {
    const { status, body } = await ask(host);
    expect(status).toBe(421);
    expect(body).toContain('MISDIRECTED_REQUEST');
    expect(body).toContain('GATEHOUSE_ALLOWED_HOSTS');
    expect(body).not.toContain(host);
  });

  test('is refused for a WebSocket', async () => {
    let socket: RawSocket | undefined;
    const headers = { host, authorization: `Bearer ${gateway.tokens.admin}` };
    const opened = openSocket(server.port, { headers }).then((each) => {
      socket = each;
    });
    try {
      await expect(opened).rejects.toThrow('421');
    } finally {
      socket?.socket.terminate();
    }
  });
});

test.each(['gatehouse.internal', '127.0.0.1:1'])('a WebSocket for %s is opened', async (host) => {
  const socket = await openSocket(server.port, { headers: { host, authorization: `Bearer ${gateway.tokens.admin}` } });
  try {
    expect(await socket.init()).toEqual({ type: 'connection_ack' });
  } finally {
    socket.socket.terminate();
  }
});

test('every address is refused but those of probes, whatever the method', async () => {
  const cookie = await openSession(gateway, gateway.tokens.admin);
  const headers = { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin', Origin: 'https://chat.example.com' };
  for (const target of ['/', WHO, SERVERS, '/api/openapi.json', '/auth/sign-in', '/auth/session', '/nowhere', '/mcp']) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      expect((await ask('evil.example', { target, method, headers })).status, `${method} ${target}`).toBe(421);
    }
  }
  for (const target of ['/healthz', '/readyz', '/metrics']) {
    expect((await ask('10.244.0.17:4000', { target })).status, target).toBe(200);
  }
});

test('a request line that contains a whole URL must name a good host, too', async () => {
  const whole = (host: string) => `http://${host}${WHO}`;
  expect((await ask('localhost', { target: whole('evil.example') })).status).toBe(421);
  expect((await ask('evil.example', { target: whole('localhost') })).status).toBe(421);
  expect((await ask('localhost', { target: whole('localhost') })).status).toBe(200);
});

test("a proxy's word for the host does not count, not even a trusted one's", async () => {
  const claims = { 'X-Forwarded-Host': 'gatehouse.example.com', Forwarded: 'host=gatehouse.example.com' };
  expect((await ask('evil.example', { headers: claims })).status).toBe(421);
  const lies = { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' };
  expect((await ask('gatehouse.example.com', { headers: lies })).status).toBe(200);
});
