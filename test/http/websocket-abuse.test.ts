import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { MAX_SOCKET_OPERATIONS } from '../../src/http/socket-operations.ts';
import { createId } from '../graphql/config-operations.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { closeSocket, openSocket, type RawSocket } from '../setup/socket-client.ts';

const FOLLOW = 'subscription { mcpServerConfigEvents { type configId } }';

let gateway: TestGateway;
let server: RunningServer;
const sockets: RawSocket[] = [];
const connections: Socket[] = [];

beforeAll(async () => {
  gateway = await createTestGateway();
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  await Promise.all(sockets.splice(0).map(closeSocket));
  for (const connection of connections.splice(0)) connection.destroy();
});
afterAll(async () => {
  await server?.close(1_000);
  await gateway?.close();
});

async function openAs(token: string): Promise<RawSocket> {
  const socket = await openSocket(server.port);
  sockets.push(socket);
  expect(await socket.init({ authorization: `Bearer ${token}` })).toEqual({ type: 'connection_ack' });
  return socket;
}

const subscribe = (id: string, query = FOLLOW) => ({ type: 'subscribe', id, payload: { query } });

async function countStreams(): Promise<number> {
  const text = await (await gateway.fetch('/metrics')).text();
  return Number(/^gatehouse_streams (\d+)$/m.exec(text)?.[1]);
}

/** A hand-written connection and the messages that it receives. */
function dial(): { socket: Socket; text: () => string } {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  connections.push(socket);
  let text = '';
  socket.on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return { socket, text: () => text };
}

test('a client that sends many messages at once is cut off before it costs others anything', async () => {
  const socket = await openAs(gateway.tokens.member);
  for (let index = 0; index < 5_000; index += 1) socket.send(subscribe(`s${index}`, '{ viewer { id } }'));
  expect((await socket.closed).code).toBe(1008);
});

test('the id of a running operation cannot be reused, and streams end with their connection', async () => {
  const socket = await openAs(gateway.tokens.member);
  for (let index = 0; index < 20; index += 1) {
    socket.send(subscribe('same'));
    socket.send({ type: 'complete', id: 'same' });
  }
  expect((await socket.closed).code).toBe(4409);
  await expect.poll(countStreams).toBe(0);
});

test('the id of a completed operation can be reused', async () => {
  const socket = await openAs(gateway.tokens.member);
  for (let round = 0; round < 2 * MAX_SOCKET_OPERATIONS; round += 1) {
    socket.send(subscribe('again', '{ viewer { role } }'));
    expect((await socket.next())?.payload.data.viewer.role).toBe('MEMBER');
    expect((await socket.next())?.type).toBe('complete');
  }
});

test('an id may have 128 characters, because it is kept as long as the operation', async () => {
  const socket = await openAs(gateway.tokens.member);
  const id = 'é'.repeat(128);
  socket.send(subscribe(id));
  socket.send(subscribe(id));
  expect((await socket.closed).code).toBe(4409);
  const another = await openAs(gateway.tokens.member);
  another.send(subscribe(`${id}é`));
  expect((await another.closed).code).toBe(4400);
});

test('messages sent after the connection was abandoned are ignored', async () => {
  const socket = await openAs(gateway.tokens.admin);
  const id = await createId(gateway);
  socket.send({ type: 'connection_init' });
  socket.send(subscribe('late', `mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`));
  expect((await socket.closed).code).toBe(4429);
  const { data } = await gateway.graphql(`{ mcpServerConfig(id: "${id}") { id } }`, { token: gateway.tokens.admin });
  expect(data.mcpServerConfig).toEqual({ id });
});

test('a subscription in a fragment works, and one that fails does not affect the others', async () => {
  const socket = await openAs(gateway.tokens.member);
  socket.send(
    subscribe('f', 'subscription { ...F } fragment F on Subscription { ... { mcpServerConfigEvents { type } } }'),
  );
  expect((await socket.next())?.payload.data.mcpServerConfigEvents.type).toBe('BOOKMARK');
  const query = 'subscription ($a: String) { mcpServerConfigEvents(after: $a) { type } }';
  socket.send({ type: 'subscribe', id: 'v', payload: { query, variables: { a: { secret: 'canary-9' } } } });
  const refused = await socket.next();
  expect(refused?.payload.errors[0].extensions).toMatchObject({ code: 'VALIDATION_FAILED', issues: [{ path: ['a'] }] });
  expect(await socket.next()).toEqual({ type: 'complete', id: 'v' });
  await createId(gateway, { enabled: true });
  expect((await socket.next())?.payload.data.mcpServerConfigEvents.type).toBe('ADDED');
  expect(gateway.logs()).not.toContain('canary-9');
});

test('a refused handshake leaves no connection behind, whatever its client sends next', async () => {
  const { socket, text } = dial();
  const head = ['GET /nowhere HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket', '', ''];
  socket.write(head.join('\r\n'));
  await expect.poll(text).toContain('404');
  // This side never ends it; data sent to a closed connection causes a reset.
  const isGone = () => {
    if (socket.writable) socket.write('x');
    return socket.destroyed;
  };
  await expect.poll(isGone).toBe(true);
});

test('an incomplete WebSocket request is told what is missing', async () => {
  const response = await gateway.fetch('/graphql', {
    headers: { upgrade: 'websocket', authorization: `Bearer ${gateway.tokens.member}` },
  });
  expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket']);
  const { socket, text } = dial();
  socket.end(`GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close');
  expect(text()).toContain('426');
});

test('pipelined requests, one of which offers another protocol, leave no connection open', async () => {
  const { socket, text } = dial();
  const request = (path: string, ...headers: string[]) =>
    [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
  socket.write(request('/readyz') + request('/healthz', ...offer) + request('/healthz', 'Connection: close'));
  await once(socket, 'end');
  expect(text()).not.toMatch(/HTTP\/1\.1 [45]/);
});
