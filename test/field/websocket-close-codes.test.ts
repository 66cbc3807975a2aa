import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { MAX_SOCKET_OPERATIONS } from '../../src/http/socket-operations.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { openSocket, type RawSocket } from '../setup/socket-client.ts';

// The close codes of the protocol graphql-transport-ws and of RFC 6455, section 7.4.1, with everything that causes them.
// Found with the test suite of graphql-ws: `next` from a client, even from a stranger, closed with 1011 and logged a stack.
// Not in the list: 4004, 4005 and 4504, which only clients send; 4403 and 4500, for which the gateway has other codes;
// 4408 is expected at the end: it takes some seconds.

let gateway: TestGateway;
let server: RunningServer;
/** It sends nothing. */
let silent: RawSocket;
let linesBefore = 0;
beforeAll(async () => {
  gateway = await createTestGateway({ streamLimits: { maxStreamsPerUser: 2 } });
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
  linesBefore = gateway.logs().length;
  silent = await openSocket(server.port);
});
afterAll(async () => {
  await server?.close(1_000);
  await gateway?.close();
});

const ID = '00000000-0000-4000-8000-000000000000';
const bearer = () => ({ authorization: `Bearer ${gateway.tokens.member}` });
const query = '{ viewer { id } }';
const subscribe = (change: object = {}) => ({ type: 'subscribe', id: ID, payload: { query }, ...change });
const STREAM = 'subscription { mcpServerConfigEvents { type } }';

const NOT_FROM_A_CLIENT: [string, unknown][] = [
  ['connection_ack', { type: 'connection_ack' }],
  ['next', { type: 'next', id: ID, payload: { data: null } }],
  ['next with an escaped type', '{"type":"n\\u0065xt","id":"x","payload":{}}'],
  ['error', { type: 'error', id: ID, payload: [{ message: 'x' }] }],
  ['error without errors', { type: 'error', id: ID, payload: [] }],
  ['no JSON', '{'],
  ['nothing', ''],
  ['null', 'null'],
  ['a number', '1'],
  ['a list', '[{"type":"ping"}]'],
  ['a list of one type', '["ping"]'],
  ['an object without a type', {}],
  ['a type that is no text', { type: { toString: 'ping' } }],
  ['an unknown type', { type: 'start' }],
  ['a type that every object has', { type: 'constructor' }],
  ['binary data', Buffer.from(JSON.stringify({ type: 'ping' }))],
  ['connection_init with a payload that is no object', { type: 'connection_init', payload: 'Bearer x' }],
  ['ping with a payload that is no object', { type: 'ping', payload: 1 }],
  ['pong with a payload that is no object', { type: 'pong', payload: [] }],
  ['subscribe without an id', subscribe({ id: undefined })],
  ['subscribe with an empty id', subscribe({ id: '' })],
  ['subscribe with an id that is no text', subscribe({ id: 1 })],
  ['subscribe without a payload', subscribe({ payload: undefined })],
  ['subscribe with a payload that is no object', subscribe({ payload: query })],
  ['subscribe without a query', subscribe({ payload: {} })],
  ['subscribe with a query that is no text', subscribe({ payload: { query: {} } })],
  ['subscribe with variables that are no object', subscribe({ payload: { query, variables: [] } })],
  ['subscribe with an operation name that is no text', subscribe({ payload: { query, operationName: 1 } })],
  ['subscribe with extensions that are no object', subscribe({ payload: { query, extensions: 'x' } })],
  ['complete without an id', { type: 'complete' }],
  ['complete with an empty id', { type: 'complete', id: '' }],
];

describe('4400, from a stranger before connection_init and from a member after it', () => {
  test.each(NOT_FROM_A_CLIENT)('%s', async (_what, message) => {
    for (const isMember of [false, true]) {
      const socket = await openSocket(server.port);
      if (isMember) expect(await socket.init(bearer())).toEqual({ type: 'connection_ack' });
      socket.send(message as string);
      expect(await socket.closed).toEqual({ code: 4400, reason: 'Invalid message received' });
    }
  });
});

const init = async (): Promise<RawSocket> => {
  const socket = await openSocket(server.port);
  expect(await socket.init(bearer())).toEqual({ type: 'connection_ack' });
  return socket;
};

describe('each other code', () => {
  test.each<[number, string, () => Promise<RawSocket>]>([
    [
      4401,
      'an operation before connection_init',
      async () => {
        const socket = await openSocket(server.port);
        socket.send(subscribe());
        return socket;
      },
    ],
    [
      4401,
      'connection_init without a credential',
      async () => {
        const socket = await openSocket(server.port);
        socket.send({ type: 'connection_init' });
        return socket;
      },
    ],
    [
      4401,
      'connection_init with an invalid token',
      async () => {
        const socket = await openSocket(server.port);
        socket.send({ type: 'connection_init', payload: { authorization: 'Bearer gth_invalid' } });
        return socket;
      },
    ],
    [
      4409,
      'the id of a running operation',
      async () => {
        const socket = await init();
        socket.send(subscribe({ payload: { query: STREAM } }));
        socket.send(subscribe());
        return socket;
      },
    ],
    [
      4429,
      'a second connection_init',
      async () => {
        const socket = await init();
        socket.send({ type: 'connection_init' });
        return socket;
      },
    ],
    [
      1002,
      'a frame with reserved bits',
      async () => {
        const socket = await openSocket(server.port);
        sendBytes(socket, 'f18000000000');
        return socket;
      },
    ],
    [
      1002,
      'a frame without a mask',
      async () => {
        const socket = await openSocket(server.port);
        sendBytes(socket, '810178');
        return socket;
      },
    ],
    [
      1007,
      'text that is not UTF-8',
      async () => {
        const socket = await openSocket(server.port);
        sendBytes(socket, '818200000000fffe');
        return socket;
      },
    ],
    [
      1008,
      'more messages than a connection may have under way',
      async () => {
        const socket = await init();
        for (let index = 0; index < 200 * MAX_SOCKET_OPERATIONS; index += 1)
          socket.send(subscribe({ id: `s${index}` }));
        return socket;
      },
    ],
    [
      1009,
      'a message that is too large',
      async () => {
        const socket = await openSocket(server.port);
        socket.send('x'.repeat(300_000));
        return socket;
      },
    ],
    [
      1013,
      'more connections than a user may have',
      async () => {
        const others = await Promise.all([init(), init()]);
        const socket = await openSocket(server.port);
        socket.send({ type: 'connection_init', payload: bearer() });
        await socket.closed;
        for (const other of others) other.socket.terminate();
        return socket;
      },
    ],
  ])('%d: %s', async (code, _what, cause) => {
    expect((await (await cause()).closed).code).toBe(code);
  });

  test('4406: another subprotocol', async () => {
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    const socket = connect(server.port, '127.0.0.1');
    const head = ['GET /graphql HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket'];
    socket.write([...head, 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`, '', ''].join('\r\n'));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      // The answer to a close frame, so that the gateway ends the connection.
      if (Buffer.concat(chunks).includes(closeFrame(4406))) socket.end(Buffer.from('888200000000', 'hex'));
    });
    await once(socket, 'close');
    expect(Buffer.concat(chunks).includes(closeFrame(4406))).toBe(true);
  });

  test('1001: the gateway stops', async () => {
    const stopping = await createTestGateway();
    const other = await listen(stopping.app, { host: '127.0.0.1', port: 0 });
    try {
      const socket = await openSocket(other.port);
      stopping.endStreams();
      expect((await socket.closed).code).toBe(1001);
    } finally {
      await other.close(1_000);
      await stopping.close();
    }
  });
});

test('4408: no connection_init in time', async () => {
  expect((await silent.closed).code).toBe(4408);
});

test('nothing of this is an error in the log, or appears there', () => {
  const lines = gateway
    .logs()
    .slice(linesBefore)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.length).toBeGreaterThan(2 * NOT_FROM_A_CLIENT.length);
  expect(lines.filter(({ level, err }) => !['info', 'debug'].includes(String(level)) || err !== undefined)).toEqual([]);
});

/** Bytes that a WebSocket client would not send. */
function sendBytes({ socket }: RawSocket, hex: string): void {
  (socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.from(hex, 'hex'));
}

/** The code in a close frame. */
function closeFrame(code: number): Buffer {
  return Buffer.from([code >> 8, code & 0xff]);
}
