// On the embedded database: it shows connections of clients.

import { request } from 'node:http';
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
