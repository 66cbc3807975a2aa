import { once } from 'node:events';
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { NOTHING_YET, OVER, type Supply, type Taken } from '../../src/domain/feed/supply.ts';
import { listen } from '../../src/http/node-server.ts';
import { noteSupply, sendSupply } from '../../src/http/send-supply.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

type Next = Taken<Uint8Array> | Promise<Taken<Uint8Array>>;

/** A server that sends a supply, and a client of it. */
async function send(take: () => Next, onReady: Supply<Uint8Array>['onReady'] = () => undefined) {
  const close = vi.fn();
  let outgoing: ServerResponse | undefined;
  server = createServer({ highWaterMark: 4_096 }, (_request, response) => {
    outgoing = response;
    response.writeHead(200).flushHeaders();
    sendSupply(response, { take, onReady, close });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }).end();
  const [response] = await once(client, 'response');
  return { client, response, close, outgoing: outgoing as unknown as ServerResponse };
}

const bytes = (text: string) => new TextEncoder().encode(text);

const readAll = async (response: AsyncIterable<Buffer>) => {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts).toString();
};

test('sends all parts in their order, whether they are there, come later, or are waited for', async () => {
  const parts: Next[] = [bytes('a'), Promise.resolve(bytes('b')), NOTHING_YET, bytes('c'), Promise.resolve(OVER)];
  const { response } = await send(
    () => parts.shift() ?? OVER,
    (callback) => void setImmediate(callback),
  );
  expect(await readAll(response)).toBe('abc');
});

test('takes nothing while the client does not read, and goes on when they do', async () => {
  const part = new Uint8Array(65_536);
  const total = 1_000;
  let taken = 0;
  const { response, outgoing } = await send(() => {
    if (taken === total) return OVER;
    taken += 1;
    return part;
  });
  // The rest is in the buffers of the kernel.
  await vi.waitFor(() => expect(outgoing.writableNeedDrain).toBe(true));
  expect(taken).toBeLessThan(total);
  expect(outgoing.writableLength).toBeLessThan(4_096 + part.length * 2);
  expect((await readAll(response)).length).toBe(total * part.length);
});

test('closes the supply when the client goes away', async () => {
  const { client, response, close } = await send(() => NOTHING_YET);
  response.on('error', () => undefined);
  client.destroy();
  await vi.waitFor(() => expect(close).toHaveBeenCalledOnce());
});

test.each<[string, () => Next]>([
  [
    'at once',
    () => {
      throw new Error('lost');
    },
  ],
  ['later', () => Promise.reject(new Error('lost'))],
])('a supply that fails %s breaks the connection off', async (_, take) => {
  const { response, close } = await send(take);
  await expect(readAll(response)).rejects.toThrow('aborted');
  expect(close).toHaveBeenCalledOnce();
});

test('the server takes the body of such an answer from its supply, and keeps its status and header fields', async () => {
  const parts = [bytes('from the '), bytes('supply')];
  const answer = (): Response => {
    const response = new Response('from the body', { status: 201, headers: { 'x-own': 'yes' } });
    for (const cookie of ['a=1', 'b=2']) response.headers.append('set-cookie', cookie);
    noteSupply(response, { take: () => parts.shift() ?? OVER, onReady: () => undefined, close: () => undefined });
    return response;
  };
  const running = await listen({ fetch: answer as never }, { host: '127.0.0.1', port: 0 });
  try {
    const response = await fetch(`http://127.0.0.1:${running.port}/`);
    expect(await response.text()).toBe('from the supply');
    expect([response.status, response.headers.get('x-own')]).toEqual([201, 'yes']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  } finally {
    await running.close(1_000);
  }
});
