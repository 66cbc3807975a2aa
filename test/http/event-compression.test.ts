// On the embedded database: it shows connections of clients.

import { request } from 'node:http';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { iterate, OVER, type Supply } from '../../src/domain/feed/supply.ts';
import { encodeEvents } from '../../src/http/encode-events.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { findSuppliedAnswer } from '../../src/http/send-supply.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { readSse } from '../setup/sse-reader.ts';
import { createRestClient } from './rest-client.ts';

let gateway: TestGateway;
let server: RunningServer;

beforeAll(async () => {
  gateway = await createTestGateway();
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server?.close(1_000);
  await gateway?.close();
});

const FOLLOW = 'subscription ($after: String) { mcpServerConfigEvents(after: $after) { type config { displayName } } }';

/** Opens a stream as an HTTP client that decodes nothing by itself. */
function open(acceptEncoding: string, after?: string) {
  return new Promise<{ headers: Record<string, unknown>; body: NodeJS.ReadableStream }>((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${gateway.tokens.member}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'accept-encoding': acceptEncoding,
    };
    const options = { host: '127.0.0.1', port: server.port, path: '/graphql', method: 'POST', headers };
    request(options, (response) => resolve({ headers: response.headers, body: response }))
      .on('error', reject)
      .end(JSON.stringify({ query: FOLLOW, variables: { after } }));
  });
}

const readAll = async (stream: AsyncIterable<unknown>): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

describe('a stream of events', () => {
  test('is compressed for who accepts gzip, and each event can be read as soon as it comes', async () => {
    const { headers, body } = await open('gzip, deflate, br');
    expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
    expect(headers['vary']).toContain('Accept-Encoding');
    const events = readSse(body.pipe(createGunzip({ flush: constants.Z_SYNC_FLUSH })));
    const next = async () => JSON.parse((await events.next()).value?.data ?? 'null').data.mcpServerConfigEvents;
    expect(await next()).toMatchObject({ type: 'BOOKMARK' });
    const rest = createRestClient(gateway);
    for (const name of ['First', 'Zweiter ✓']) {
      const fields = { slug: name.toLowerCase().replace(/\W+/g, '-').replace(/-$/, ''), display_name: name };
      await rest.define({ ...fields, url: 'https://mcp.example.com/', enabled: true });
      // The next one is made only after this one came.
      expect(await next()).toEqual({ type: 'ADDED', config: { displayName: name } });
    }
    await events.return(undefined);
  });

  test.each(['identity', 'br', 'gzip;q=0', ''])('is sent as it is with Accept-Encoding: %s', async (acceptEncoding) => {
    const { headers, body } = await open(acceptEncoding);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers['vary']).toContain('Accept-Encoding');
    const events = readSse(body as AsyncIterable<Uint8Array>);
    expect((await events.next()).value?.data).toContain('BOOKMARK');
    await events.return(undefined);
  });

  test('that ends is a whole gzip file, and the same as without', async () => {
    const plain = await readAll((await open('identity', 'nonsense')).body);
    const packed = await readAll((await open('gzip', 'nonsense')).body);
    expect(plain.toString()).toMatch(/CURSOR_INVALID[\s\S]*event: complete/);
    const withoutIds = (text: string) => text.replace(/"requestId":"[^"]*"/g, '');
    expect(withoutIds(gunzipSync(packed).toString())).toBe(withoutIds(plain.toString()));
  });
});

test.each(['gzip', 'identity'])(
  'a stream with Accept-Encoding: %s can be sent without a stream of Node',
  async (coding) => {
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json', 'accept-encoding': coding };
    const authorization = `Bearer ${gateway.tokens.member}`;
    const body = JSON.stringify({ query: FOLLOW });
    const response = await gateway.app.fetch(
      new Request('http://localhost/graphql', { method: 'POST', headers: { ...headers, authorization }, body }),
    );
    const supply = findSuppliedAnswer(response) as Supply<Uint8Array>;
    const events = iterate(supply);
    const parts: Uint8Array[] = [];
    for (let index = 0; index < (coding === 'gzip' ? 2 : 1); index += 1) parts.push((await events.next()).value);
    supply.close();
    const text =
      coding === 'gzip' ? gunzipSync(Buffer.concat(parts), { finishFlush: constants.Z_SYNC_FLUSH }) : parts[0];
    expect(Buffer.from(text as Uint8Array).toString()).toBe(':\n\n');
  },
);

/** Supplies these parts. The reader takes them at once. */
function supplyOf(parts: Iterator<Uint8Array | Promise<Uint8Array>>): Supply<Uint8Array> {
  return { take: () => parts.next().value ?? OVER, onReady: () => undefined, close: vi.fn() };
}

test('any parts, in any order and more than once, make a whole gzip file', async () => {
  const part = fc.uint8Array({ maxLength: 300 });
  const order = fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), order, async (parts, picks) => {
      const sent = parts.length === 0 ? [] : picks.map(([index]) => parts[index % parts.length] as Uint8Array);
      const given = sent.map((each, index) => (picks[index]?.[1] === true ? Promise.resolve(each) : each));
      const packed = await readAll(iterate(encodeEvents(supplyOf(given.values()))));
      expect(gunzipSync(packed)).toEqual(Buffer.concat(sent));
    }),
    { numRuns: 50 },
  );
});

test('a part keeps no more memory than its block', () => {
  const encoded = encodeEvents(supplyOf([new Uint8Array(500)].values()));
  encoded.take();
  const block = encoded.take() as Uint8Array;
  expect(block.byteLength).toBeGreaterThan(5);
  expect(block.buffer.byteLength).toBe(block.byteLength);
});

test('a reader who goes away ends the stream, and a failure of the stream is one for the reader', async () => {
  const endless = supplyOf([new Uint8Array([1])].values());
  const encoded = encodeEvents(endless);
  encoded.take();
  encoded.close();
  expect(endless.close).toHaveBeenCalled();
  expect(encoded.take()).toBe(OVER);
  const failing = iterate(encodeEvents(supplyOf([Promise.reject(new Error('lost'))].values())));
  await failing.next();
  await expect(failing.next()).rejects.toThrow('lost');
});
