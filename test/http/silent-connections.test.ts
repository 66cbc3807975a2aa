// On the embedded database: it stores nothing.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Hono } from 'hono';
import { afterAll, beforeAll, test } from 'vitest';
import type { HttpEnv } from '../../src/http/context.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';

const TIMEOUTS = { headersTimeoutMs: 600, requestTimeoutMs: 900 };

let server: RunningServer;
/** Ends the response of `/slow`. */
let finish = (): void => undefined;
const sockets = new Set<Socket>();
beforeAll(async () => {
  const app = new Hono<HttpEnv>()
    .post('/', async (c) => c.text(await c.req.text().catch(() => 'incomplete')))
    .get('/slow', (c) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from('begun'));
          finish = () => {
            controller.enqueue(Buffer.from(', finished'));
            controller.close();
          };
        },
      });
      return c.body(body);
    });
  server = await listen(app, { host: '127.0.0.1', port: 0, ...TIMEOUTS });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await server?.close(0);
});

/** Opens a connection and sends the beginning of a request. */
function begin(data: string, port = server.port): Socket {
  const socket = connect(port, '127.0.0.1', () => socket.write(data));
  sockets.add(socket);
  return socket;
}

/** @returns what the server sent before it closed the connection */
async function untilClosed(socket: Socket): Promise<string> {
  const [received] = await Promise.all([text(socket), once(socket, 'close')]);
  return received;
}

const HEAD = 'POST / HTTP/1.1\r\nHost: localhost\r\n';
const UNFINISHED = {
  'says nothing': '',
  'stops in the middle of a line': 'POST / HT',
  'stops in the middle of the headers': HEAD,
  'sends no body': `${HEAD}Content-Length: 5\r\n\r\n`,
  'stops in the middle of the body': `${HEAD}Content-Length: 5\r\n\r\nab`,
  'stops in the middle of a chunk': `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nab`,
};

// At the same time: each waits until the timeouts have passed.

test.concurrent('a connection is closed when its client goes silent before the request is complete', async ({
  expect,
}) => {
  const endings = Object.entries(UNFINISHED).map(async ([name, data]) => [name, await untilClosed(begin(data))]);
  const all = Object.fromEntries(await Promise.all(endings)) as Record<string, string>;
  expect(Object.entries(all).filter(([, received]) => !received.startsWith('HTTP/1.1 408 '))).toEqual([]);
});

test.concurrent('the timeouts are not extended by the time between two checks, as they are by default', async ({
  expect,
}) => {
  const byDefault = createServer({ headersTimeout: 200, requestTimeout: 400 });
  try {
    await once(byDefault.listen(0, '127.0.0.1'), 'listening');
    const other = begin('', (byDefault.address() as AddressInfo).port);
    const ours = begin('');
    const first = await Promise.race([untilClosed(ours).then(() => 'ours'), untilClosed(other).then(() => 'other')]);
    expect(first).toBe('ours');
  } finally {
    byDefault.closeAllConnections();
    byDefault.close();
  }
});

test.concurrent('a response that takes longer is not cut off', async ({ expect }) => {
  const slow = await fetch(`http://127.0.0.1:${server.port}/slow`);
  await Promise.all(Object.values(UNFINISHED).map((data) => untilClosed(begin(data))));
  finish();
  expect(await slow.text()).toBe('begun, finished');
});
