import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CACHE_BOUNDS } from '../../src/limits/cache-bounds.ts';
import { OUTBOUND_LIMITS } from '../../src/limits/outbound-limits.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createRestClient, minimalServer, type RestClient, SERVERS } from './rest-client.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const latin = (text: string) => Buffer.from(text, 'latin1');
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

/** An answer of the icons' server, by path. The query is only there to make an address new. */
const ANSWERS: Record<string, { type: string; body: Buffer | string; status?: number; location?: string }> = {
  '/png': { type: 'text/html', body: PNG },
  '/jpeg': { type: 'image/jpeg', body: latin('\xff\xd8\xff\xe0 and more') },
  '/gif': { type: 'image/png', body: latin('GIF89a and more') },
  '/webp': { type: 'application/octet-stream', body: latin('RIFF\x10\0\0\0WEBPVP8 ') },
  '/avif': { type: 'image/avif', body: latin('\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf') },
  '/svg': { type: 'image/svg+xml', body: SVG },
  '/svg-as-png': { type: 'image/png', body: SVG },
  '/html-as-png': { type: 'image/png', body: '<!doctype html><script>alert(1)</script>' },
  '/mp4': { type: 'image/avif', body: latin('\0\0\0\x14ftypisom\0\0\0\0mp42avif') },
  '/empty': { type: 'image/png', body: '' },
  '/error': { type: 'image/png', body: PNG, status: 500 },
  '/redirect': { type: 'image/png', body: '', status: 302, location: '/png' },
  '/large': { type: 'image/png', body: Buffer.concat([PNG, Buffer.alloc(OUTBOUND_LIMITS.body.value)]) },
};

let gateway: TestGateway;
let rest: RestClient;
let origin: string;
/** A server on an address that the operator did not allow. */
let bystander: http.Server;
const servers: http.Server[] = [];
const visits: http.IncomingMessage[] = [];
let bystanderVisits = 0;
/** Answers that are held back. */
const held = new Set<http.ServerResponse>();

async function listen(handler: http.RequestListener): Promise<http.Server> {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return server;
}
const originOf = (server: http.Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  origin = originOf(
    await listen((request, response) => {
      visits.push(request);
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (pathname === '/held') {
        held.add(response);
        return;
      }
      const { type, body, status = 200, location } = ANSWERS[pathname] ?? { type: 'text/plain', body: '', status: 404 };
      response.writeHead(status, { 'content-type': type, ...(location !== undefined && { location }) }).end(body);
    }),
  );
  bystander = await listen((_request, response) => {
    bystanderVisits += 1;
    response.end(PNG);
  });
  gateway = await createTestGateway({ env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: new URL(origin).host } });
  rest = createRestClient(gateway);
});
beforeEach(() => {
  visits.length = 0;
});
afterAll(async () => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  await gateway?.close();
});

let count = 0;
/** Defines a server whose icon is at the path. */
async function define(path: string, more: object = {}): Promise<{ id: string; iconUrl: string }> {
  count += 1;
  const iconUrl = path.includes('://') ? path : `${origin}${path}?${count}`;
  const body = { ...minimalServer(`icon-${count}`), icon_url: iconUrl, enabled: true, ...more };
  return { id: (await rest.define(body)).id, iconUrl };
}

const get = (
  id: string,
  caller: 'member' | 'admin' | 'nobody' = 'member',
  init: { headers?: object; v?: string } = {},
) =>
  gateway.fetch(`${SERVERS}/${id}/icon${init.v ?? ''}`, {
    headers: {
      ...(caller !== 'nobody' && { authorization: `Bearer ${gateway.tokens[caller]}` }),
      ...init.headers,
    },
  });

describe('the icon of a server', () => {
  test.each([
    ['/png', 'image/png'],
    ['/jpeg', 'image/jpeg'],
    ['/gif', 'image/gif'],
    ['/webp', 'image/webp'],
    ['/avif', 'image/avif'],
  ])('at %s is served as what its bytes are: %s', async (path, type) => {
    const { id } = await define(path);
    const answer = await get(id);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(ANSWERS[path]?.body ?? ''))).toBe(true);
  });

  test.each(Object.keys(ANSWERS).slice(5))('is not there if %s answers otherwise', async (path) => {
    const { id } = await define(path);
    const answer = await get(id);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await answer.text()).not.toContain('script');
  });

  test('can run nothing, and is kept only by the browser that asked', async () => {
    const { id } = await define('/png');
    const { headers } = await get(id);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'; sandbox");
    expect(headers.get('cache-control')).toBe('private, max-age=3600');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    const etag = headers.get('etag') ?? '';
    for (const known of [etag, `"other", W/${etag}`]) {
      const again = await get(id, 'member', { headers: { 'if-none-match': known } });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
    expect((await get(id, 'member', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test('is shown to those who see the server, and to nobody else', async () => {
    const { id } = await define('/png', { enabled: false });
    expect((await get(id, 'admin')).status).toBe(200);
    expect((await get(id, 'member')).status).toBe(404);
    expect((await get(id, 'nobody')).status).toBe(401);
    expect((await get(crypto.randomUUID())).status).toBe(404);
    expect((await get('nonsense')).status).toBe(400);
    expect((await get(id, 'admin', { v: '?v=1' })).status).toBe(200);
    expect((await get(id, 'admin', { v: '?url=http://localhost' })).status).toBe(400);
    const none = await define('/png', { icon_url: '' });
    expect((await get(none.id)).status).toBe(404);
  });

  test('is fetched once for all, without anything about who asks, and again after an hour', async () => {
    const { id } = await define('/png');
    await Promise.all([get(id), get(id, 'admin'), get(id)]);
    await get(id);
    expect(visits).toHaveLength(1);
    const { authorization, cookie, referer } = visits[0]?.headers ?? {};
    expect([authorization, cookie, referer]).toEqual([undefined, undefined, undefined]);
    gateway.clock.advance(OUTBOUND_LIMITS.iconTime.value);
    await Promise.all([get(id), get(id)]);
    expect(visits).toHaveLength(2);
  });

  test('that is not there is not asked for again at once', async () => {
    const { id } = await define('/error');
    for (let time = 0; time < 3; time += 1) expect((await get(id)).status).toBe(404);
    expect(visits).toHaveLength(1);
    gateway.clock.advance(OUTBOUND_LIMITS.missingIconTime.value);
    expect((await get(id)).status).toBe(404);
    expect(visits).toHaveLength(2);
  });

  test('is not fetched from an address that the operator did not allow', async () => {
    const url = originOf(bystander).replace('http:', 'https:');
    const { id } = await define(`${url}/png`);
    // Stored before the operator closed the address, or by other means.
    for (const iconUrl of [`${url}/png`, `${originOf(bystander)}/png`, 'file:///etc/passwd']) {
      await gateway.database.query('UPDATE mcp_server_configs SET icon_url = $1 WHERE id = $2::uuid', [iconUrl, id]);
      expect((await get(id)).status).toBe(404);
    }
    expect(bystanderVisits).toBe(0);
  });

  test('is fetched together with only so many others, and the rest wait', async () => {
    const places = OUTBOUND_LIMITS.iconFetches.value;
    const slow = await Promise.all(Array.from({ length: places }, () => define('/held')));
    const { id } = await define('/png');
    visits.length = 0;
    const waiting = slow.map((each) => get(each.id));
    await expect.poll(() => held.size).toBe(places);
    const last = get(id);
    // A whole round trip to the same server later, it is not asked for.
    await (await fetch(`${origin}/round-trip`)).text();
    expect(visits.filter(({ url }) => url?.startsWith('/png'))).toEqual([]);
    for (const response of held) response.end(PNG);
    for (const answer of await Promise.all([...waiting, last])) expect(answer.status).toBe(200);
    expect(visits.filter(({ url }) => url?.startsWith('/png'))).toHaveLength(1);
  });

  test('has an address in the graph that changes with its URL', async () => {
    const { id } = await define('/png');
    const query = `{ mcpServerConfig(by: { id: "${id}" }) { iconHref } }`;
    const read = async () =>
      (await gateway.graphql(query, { token: gateway.tokens.member })).data.mcpServerConfig.iconHref;
    const href = await read();
    expect(href).toMatch(new RegExp(`^${SERVERS}/${id}/icon\\?v=[\\w-]{12}$`));
    const headers = { authorization: `Bearer ${gateway.tokens.member}` };
    expect((await gateway.fetch(href, { headers })).status).toBe(200);
    await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { icon_url: `${origin}/gif` });
    const next = await read();
    expect(next).not.toBe(href);
    expect((await gateway.fetch(next, { headers })).headers.get('content-type')).toBe('image/gif');
    await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { icon_url: '' });
    expect(await read()).toBeNull();
  });

  test('takes its place among the caches, by its bytes', async () => {
    const status = () => gateway.caches().find(({ name }) => name === CACHE_BOUNDS.icons.name);
    const before = status();
    const { id } = await define('/png');
    await get(id);
    expect((status()?.bytes ?? 0) - (before?.bytes ?? 0)).toBeGreaterThanOrEqual(PNG.byteLength);
  });
});
