// On the embedded database: it shows a page.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';

/** What browsers send when someone opens a URL. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

const graph = `${TEST_PUBLIC_URL}/graphql`;
const openapi = `${TEST_PUBLIC_URL}/api/openapi.json`;

describe('with the playground', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await createTestGateway();
  });
  afterAll(() => gateway.close());

  const get = (headers: Record<string, string>, method = 'GET') => gateway.fetch('/', { method, headers });

  test('a browser is sent to the playground', async () => {
    const response = await get({ accept: BROWSER });
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe('/graphql');
    expect((await gateway.fetch('/graphql', { headers: { accept: BROWSER } })).status).toBe(200);
  });

  test.each([
    ['application/json'],
    ['*/*'],
    ['application/json, text/html;q=0.5'],
    ['image/png'],
    ['not a media type;;q=x'],
    [undefined],
  ])('a program that accepts %s gets links', async (accept) => {
    const response = await get(accept === undefined ? {} : { accept });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json\b/);
    expect(await response.json()).toEqual({ name: 'Gatehouse', links: { graph, openapi, docs: graph } });
  });

  test('every link leads somewhere', async () => {
    const { links } = (await (await get({})).json()) as { links: Record<string, string> };
    for (const link of Object.values(links)) {
      const { pathname } = new URL(link);
      expect((await gateway.fetch(pathname, { headers: { accept: BROWSER } })).status, link).toBe(200);
    }
  });

  test('HEAD gets the same headers, and no body', async () => {
    const redirect = await get({ accept: BROWSER }, 'HEAD');
    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, '/graphql']);
    const links = await get({}, 'HEAD');
    expect([links.status, await links.text()]).toEqual([200, '']);
  });

  test('the answer does not depend on who asks, not even on a wrong token', async () => {
    const nobody = await (await get({})).text();
    for (const token of [gateway.tokens.admin, gateway.tokens.suspended, 'gth_wrong']) {
      const response = await get({ authorization: `Bearer ${token}` });
      expect([response.status, await response.text()]).toEqual([200, nobody]);
    }
  });

  test('the links do not follow the request', async () => {
    const response = await get({ 'x-forwarded-host': 'evil.example', forwarded: 'host=evil' });
    expect(await response.text()).not.toContain('evil');
  });

  test('caches keep the two answers apart', async () => {
    for (const accept of [BROWSER, 'application/json']) {
      const { headers } = await get({ accept });
      expect([headers.get('vary'), headers.get('cache-control')]).toEqual(['Accept', 'no-store']);
    }
  });

  test('other methods are refused', async () => {
    const response = await get({}, 'POST');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

test('without the playground, a browser gets links, too', async () => {
  const gateway = await createTestGateway({ env: { GATEHOUSE_GRAPHIQL: 'false' } });
  try {
    const response = await gateway.fetch('/', { headers: { accept: BROWSER } });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ name: 'Gatehouse', links: { graph, openapi } });
  } finally {
    await gateway.close();
  }
});
