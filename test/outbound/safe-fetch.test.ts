import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createSafeFetch, type SafeFetchOptions } from '../../src/outbound/safe-fetch.ts';
import { PRIVATE_ADDRESSES } from './private-addresses.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server on loopback, and the requests that it received. */
async function startServer(answer: RequestListener): Promise<{ server: Server; port: number; hits: string[] }> {
  const hits: string[] = [];
  const server = createServer((request, response) => {
    hits.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port, hits };
}

function openedRanges(cidrs: string) {
  return readConfig({ GATEHOUSE_ALLOWED_PRIVATE_CIDRS: cidrs }).allowedPrivateRanges;
}

function createFetch(options: Partial<SafeFetchOptions> = {}) {
  const { fetch, close } = createSafeFetch({ ranges: [], ...options });
  cleanups.push(close);
  return fetch;
}

const LOOPBACK_SPELLINGS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '%31%32%37.0.0.1',
  '１２７.0.0.1',
  '127。0。0。1',
];

describe('private addresses are not reached', () => {
  test.each(PRIVATE_ADDRESSES)('%s as an address in the URL', async (address) => {
    const host = address.includes(':') ? `[${address}]` : address;
    await expect(createFetch()(`https://${host}/`)).rejects.toMatchObject({ failure: 'address' });
  });

  test.each(PRIVATE_ADDRESSES)('%s behind a name', async (address) => {
    const fetch = createFetch({ lookup: async () => [address] });
    await expect(fetch('https://mcp.example.com/')).rejects.toMatchObject({ failure: 'address' });
  });

  test.each(LOOPBACK_SPELLINGS)('loopback spelled %s', async (spelling) => {
    const { port, hits } = await startServer((_request, response) => response.end('reached'));
    const fetch = createFetch();
    for (const scheme of ['http', 'https']) {
      await expect(fetch(`${scheme}://${spelling}:${port}/`)).rejects.toMatchObject({
        failure: expect.stringMatching(/^(url|address|connection)$/),
      });
    }
    expect(hits).toEqual([]);
  });

  test('a name with one private address among public ones is refused', async () => {
    const fetch = createFetch({ lookup: async () => ['93.184.216.34', '10.0.0.1'] });
    await expect(fetch('https://mcp.example.com/')).rejects.toMatchObject({ failure: 'address' });
  });

  test('a name is resolved once, and the checked address is dialled', async () => {
    const { port, hits } = await startServer((_request, response) => response.end('reached'));
    let lookups = 0;
    // First an allowed address, then a private one: a second lookup would lead there.
    const lookup = async () => {
      lookups += 1;
      return [lookups === 1 ? '127.0.0.1' : '10.0.0.1'];
    };
    const fetch = createFetch({ lookup, ranges: openedRanges(`127.0.0.0/8, rebind.example.com:${port}`) });
    expect(await (await fetch(`http://rebind.example.com:${port}/`)).text()).toBe('reached');
    expect(lookups).toBe(1);
    expect(hits).toEqual(['GET /']);
  });

  test.each([
    'file:///etc/passwd',
    'ftp://example.com/',
    'data:text/plain,x',
    'javascript:1',
    'http://example.com/',
    'not a url',
    'https://user:pw@example.com/',
  ])('%s is refused as a URL', async (url) => {
    await expect(createFetch()(url)).rejects.toMatchObject({ failure: 'url' });
  });
});

describe('destinations allowed by the operator', () => {
  test('are reached by range, address or host and port, and nothing else is', async () => {
    const { port, hits } = await startServer((request, response) => response.end(request.headers.host));
    for (const opened of ['127.0.0.0/8', '127.0.0.1', `127.0.0.1:${port}`]) {
      const fetch = createFetch({ ranges: openedRanges(opened) });
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe(`127.0.0.1:${port}`);
    }
    expect(hits).toHaveLength(3);
    const otherPort = createFetch({ ranges: openedRanges(`127.0.0.1:${port === 1 ? 2 : port - 1}`) });
    await expect(otherPort(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ failure: 'url' });
    await expect(otherPort(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({ failure: 'address' });
    expect(hits).toHaveLength(3);
  });
});

describe('an answer', () => {
  const onLoopback = (options: Partial<SafeFetchOptions> = {}) =>
    createFetch({ ranges: openedRanges('127.0.0.0/8'), ...options });

  test('arrives complete with status and headers, and the request was sent as given', async () => {
    const { port } = await startServer((request, response) => {
      response.writeHead(400, { 'content-type': 'application/json', 'x-a': ['1', '2'] });
      request.pipe(response);
    });
    const answer = await onLoopback()(`http://127.0.0.1:${port}/token`, { method: 'POST', body: '{"error":"x"}' });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-a')).toBe('1, 2');
    expect(await answer.json()).toEqual({ error: 'x' });
  });

  test.each([301, 302, 303, 307, 308])('that redirects (%i) is not followed', async (status) => {
    const { port, hits } = await startServer((_request, response) =>
      response.writeHead(status, { location: '/elsewhere' }).end(),
    );
    const call = onLoopback()(`http://127.0.0.1:${port}/`, { headers: { authorization: 'Bearer x' } });
    await expect(call).rejects.toMatchObject({ failure: 'redirect' });
    expect(hits).toEqual(['GET /']);
  });

  test('that is too large is cut off', async () => {
    const { port } = await startServer((_request, response) => {
      response.write('x'.repeat(600));
      response.end('x'.repeat(600));
    });
    const fetch = onLoopback({ maxBytes: 1_000 });
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ failure: 'size' });
  });

  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (text) => Buffer.from(text)],
  ])('that is compressed with %s although nobody asked for it is read', async (coding, compress) => {
    const { port } = await startServer((request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      response.writeHead(200, { 'content-encoding': coding }).end(compress('{"a":1}'));
    });
    const answer = await onLoopback()(`http://127.0.0.1:${port}/`);
    expect(await answer.json()).toEqual({ a: 1 });
    expect(answer.headers.has('content-encoding')).toBe(false);
  });

  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('that is small and expands with %s beyond the limit is cut off', async (coding, compress) => {
    const bomb = compress('x'.repeat(50_000_000));
    expect(bomb.byteLength).toBeLessThan(100_000);
    const { port } = await startServer((_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(bomb),
    );
    await expect(onLoopback()(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ failure: 'size' });
  });

  test('that expands to exactly the limit is read, and to a byte more it is not', async () => {
    const { port } = await startServer((request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(Number(request.url?.slice(1))))),
    );
    const fetch = onLoopback({ maxBytes: 1_000 });
    expect(await (await fetch(`http://127.0.0.1:${port}/1000`)).text()).toHaveLength(1_000);
    await expect(fetch(`http://127.0.0.1:${port}/1001`)).rejects.toMatchObject({ failure: 'size' });
  });

  test.each<[string, string, Buffer]>([
    ['a coding that nobody knows', 'zip', gzipSync('x')],
    ['a name that every object has', 'constructor', gzipSync('x')],
    ['two codings', 'gzip, br', gzipSync('x')],
    ['the same coding twice', 'gzip, gzip', gzipSync(gzipSync('x'))],
    ['another coding than it says', 'br', gzipSync('x'.repeat(100))],
    ['half of it', 'gzip', gzipSync('x'.repeat(100)).subarray(0, 20)],
  ])('with %s is refused', async (_what, coding, body) => {
    const { port } = await startServer((_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(body),
    );
    await expect(onLoopback()(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ failure: 'encoding' });
  });

  test.each([200, 204, 401])('with status %i and a coding, but without a body, is read', async (status) => {
    const { port } = await startServer((_request, response) =>
      response.writeHead(status, { 'content-encoding': 'gzip' }).end(),
    );
    expect((await onLoopback()(`http://127.0.0.1:${port}/`)).status).toBe(status);
  });

  test("is asked for in the gateway's name, whatever the caller says", async () => {
    const seen: unknown[] = [];
    const { port } = await startServer((request, response) => {
      seen.push(request.headers['user-agent']);
      response.end();
    });
    await onLoopback()(`http://127.0.0.1:${port}/`);
    await onLoopback()(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'user-agent': 'oauth4webapi' } });
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(seen).toEqual([`Gatehouse/${version}`, `Gatehouse/${version}`]);
  });

  test('that does not arrive or end times out', async () => {
    const silent = await startServer(() => undefined);
    const endless = await startServer((_request, response) => response.write('x'));
    for (const { port } of [silent, endless]) {
      const fetch = onLoopback({ timeoutMs: 50 });
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ failure: 'timeout' });
    }
  });

  test("that is missing is an error without the request's content", async () => {
    const { server, port } = await startServer(() => undefined);
    server.close();
    const call = onLoopback()(`http://127.0.0.1:${port}/?code=canary`, { headers: { authorization: 'canary' } });
    await expect(call).rejects.toMatchObject({ failure: 'connection', message: expect.not.stringContaining('canary') });
  });
});
