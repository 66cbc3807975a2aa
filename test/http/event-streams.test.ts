// On the embedded database: it shows connections of clients.

import { request } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

const LIMIT = 4;

let gateway: TestGateway;
let server: RunningServer;

beforeAll(async () => {
  gateway = await createTestGateway({ streamLimits: { maxStreamsPerUser: LIMIT } });
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server?.close(1_000);
  await gateway?.close();
});

/** Opens a stream as a real client. Resolves with its first bytes and a way to break the connection. */
function openStream(): Promise<{ text: string; breakOff(): void }> {
  const query = 'subscription { mcpServerConfigEvents { type } }';
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: server.port,
        path: '/graphql',
        method: 'POST',
        headers: {
          authorization: `Bearer ${gateway.tokens.member}`,
          'content-type': 'application/json',
          accept: 'text/event-stream',
        },
      },
      (response) => {
        let text = '';
        response.on('error', () => undefined);
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.includes('event: next')) resolve({ text, breakOff: () => outgoing.destroy() });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ query }));
  });
}

// Node's stand-in for foreign bodies closed such a stream twice, which ended the process: an uncaught error fails this
// file.
test('clients that disconnect in the middle of a stream release it without harm', async () => {
  const streams = await Promise.all(Array.from({ length: LIMIT }, openStream));
  for (const { text } of streams) expect(text).toContain('BOOKMARK');
  const oneMore = await openStream();
  expect(oneMore.text).toContain('RATE_LIMITED');
  for (const { breakOff } of streams) breakOff();
  // A stream notices within some seconds.
  await expect
    .poll(
      async () => {
        const { text, breakOff } = await openStream();
        breakOff();
        return text;
      },
      { interval: 200 },
    )
    .toContain('BOOKMARK');
  const answer = await gateway.graphql('{ viewer { role } }', { token: gateway.tokens.member });
  expect(answer.data.viewer.role).toBe('MEMBER');
});

test('a client who asks for two streams at once and goes away leaves none of them open', async () => {
  const body = JSON.stringify({ query: 'subscription { mcpServerConfigEvents { type } }' });
  const head = [
    'POST /graphql HTTP/1.1',
    'host: localhost',
    `authorization: Bearer ${gateway.tokens.service}`,
    'content-type: application/json',
    'accept: text/event-stream',
    `content-length: ${body.length}`,
  ];
  const asked = `${head.join('\r\n')}\r\n\r\n${body}`;
  const count = async () =>
    Number(/^gatehouse_streams (\d+)$/m.exec(await (await gateway.fetch('/metrics')).text())?.[1]);
  await expect.poll(count).toBe(0);
  const socket = connect(server.port, '127.0.0.1');
  socket.write(asked + asked);
  // The second one is open, too, though its answer has to wait for the end of the first.
  await expect.poll(count).toBe(2);
  socket.destroy();
  await expect.poll(count).toBe(0);
});

test('a query that is answered as events is compressed, too, and has no content coding that is none', async () => {
  const ask = (acceptEncoding: string, query: string) =>
    gateway.app.fetch(
      new Request('http://localhost/graphql', {
        method: 'POST',
        headers: {
          authorization: `Bearer ${gateway.tokens.admin}`,
          'content-type': 'application/json',
          accept: 'text/event-stream',
          'accept-encoding': acceptEncoding,
        },
        body: JSON.stringify({ query }),
      }),
    );
  const long = `{ ${Array.from({ length: 9 }, (_, index) => `${'a'.repeat(150)}${index}: __typename`).join(' ')} }`;
  const packed = await ask('gzip', long);
  expect(packed.headers.get('content-encoding')).toBe('gzip');
  expect(gunzipSync(await packed.arrayBuffer()).toString()).toContain('a8":"Query"');
  for (const response of [await ask('identity', long), await ask('gzip', '{ __typename }')]) {
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(await response.text()).toContain('event: next');
  }
});
