// On the embedded database: it shows a page.

import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';

/** What browsers send when someone opens a URL. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

const graph = `${TEST_PUBLIC_URL}/graphql`;
const openapi = `${TEST_PUBLIC_URL}/api/openapi.json`;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway.close());

const get = (headers: Record<string, string>, method = 'GET') => gateway.fetch('/', { method, headers });

describe('a browser', () => {
  const open = (path: string, headers: Record<string, string> = {}) =>
    gateway.fetch(path, { headers: { accept: BROWSER, ...headers } });

  test.each(['/', '/servers/github', '/chats', '/chats/some-id', '/account', '/admin', '/admin/audit?action=x'])(
    'gets the console at %s, with a policy that allows nothing inline and nothing from elsewhere',
    async (path) => {
      const response = await open(path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.get('content-security-policy')).toBe(POLICY);
      expect(response.headers.get('cache-control')).toBe('no-store');
      const page = await response.text();
      expect(page).toContain('<div id="root">');
      expect(page).not.toMatch(/<style| style=|<script(?![^>]* src=)|https?:/);
    },
  );

  test.each(['/nowhere', '/serversx', '/assets/', '/assets/index.js', '/assets/..%2findex.html', '/assets/icon.svg'])(
    'gets 404 at %s',
    async (path) => {
      expect((await open(path)).status).toBe(404);
    },
  );

  test('keeps the files of the page for ever, and gets them compressed as it asks', async () => {
    const page = await (await open('/')).text();
    const files = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) {
      expect(file).toMatch(/-[\w-]{8}\.(?:js|css|svg)$/);
      const plain = await open(file);
      expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(plain.headers.get('content-encoding')).toBeNull();
      expect(plain.headers.get('vary')).toBe('Accept-Encoding');
      const text = await plain.text();
      const read = async (asked: string) => {
        const response = await open(file, { 'accept-encoding': asked });
        return { coding: response.headers.get('content-encoding'), body: Buffer.from(await response.arrayBuffer()) };
      };
      const br = await read('gzip, deflate, br, zstd');
      expect([br.coding, brotliDecompressSync(br.body).toString()]).toEqual(['br', text]);
      const gzip = await read('gzip, br;q=0');
      expect([gzip.coding, gunzipSync(gzip.body).toString()]).toEqual(['gzip', text]);
      expect((await read('zstd')).coding).toBeNull();
    }
  });

  test('gets the same page, whoever is signed in', async () => {
    const nobody = await (await open('/')).text();
    const response = await open('/', { authorization: `Bearer ${gateway.tokens.admin}` });
    expect(await response.text()).toBe(nobody);
  });
});

describe('a program', () => {
  test.each([
    ['application/json'],
    ['*/*'],
    ['application/json, text/html;q=0.5'],
    ['image/png'],
    ['not a media type;;q=x'],
    [undefined],
  ])('that accepts %s gets links', async (accept) => {
    const response = await get(accept === undefined ? {} : { accept });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json\b/);
    expect(await response.json()).toEqual({ name: 'Gatehouse', links: { graph, openapi, docs: graph } });
  });

  test('gets no page at the paths of the console', async () => {
    for (const path of ['/chats', '/servers/github', '/account']) {
      expect((await gateway.fetch(path, { headers: { accept: 'application/json' } })).status).toBe(404);
    }
  });

  test('finds something at every link', async () => {
    const { links } = (await (await get({})).json()) as { links: Record<string, string> };
    for (const link of Object.values(links)) {
      const { pathname } = new URL(link);
      expect((await gateway.fetch(pathname, { headers: { accept: BROWSER } })).status, link).toBe(200);
    }
  });

  test('gets the same answer, whoever asks, even with a wrong token', async () => {
    const nobody = await (await get({})).text();
    for (const token of [gateway.tokens.admin, gateway.tokens.suspended, 'gth_wrong']) {
      const response = await get({ authorization: `Bearer ${token}` });
      expect([response.status, await response.text()]).toEqual([200, nobody]);
    }
  });

  test('gets links that do not follow the request', async () => {
    const response = await get({ 'x-forwarded-host': 'evil.example', forwarded: 'host=evil' });
    expect(await response.text()).not.toContain('evil');
  });
});

test('HEAD gets the same headers, and no body', async () => {
  const page = await get({ accept: BROWSER }, 'HEAD');
  expect([page.status, page.headers.get('content-security-policy'), await page.text()]).toEqual([200, POLICY, '']);
  const links = await get({}, 'HEAD');
  expect([links.status, await links.text()]).toEqual([200, '']);
});

test('caches keep the two answers apart', async () => {
  for (const accept of [BROWSER, 'application/json']) {
    const { headers } = await get({ accept });
    expect(headers.get('vary')).toMatch(/^Accept\b/);
    expect(headers.get('cache-control')).toBe('no-store');
  }
});

test('other methods are refused', async () => {
  const response = await get({}, 'POST');
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('without the playground, a browser gets the console, too', async () => {
  const other = await createTestGateway({ env: { GATEHOUSE_GRAPHIQL: 'false' } });
  try {
    const response = await other.fetch('/', { headers: { accept: BROWSER } });
    expect([response.status, response.headers.get('content-security-policy')]).toEqual([200, POLICY]);
    const links = await other.fetch('/', { headers: { accept: 'application/json' } });
    expect(await links.json()).toEqual({ name: 'Gatehouse', links: { graph, openapi } });
  } finally {
    await other.close();
  }
});
