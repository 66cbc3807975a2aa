import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import type { Page, UserAgent } from '../setup/user-agent.ts';
import { openSession } from './browser-session.ts';
import { type ConnectedWorld, callbackUrl, connectUrl, openConnectedWorld } from './connection-setup.ts';

const CHAT = 'https://chat.example.com';
const LINK = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

let world: ConnectedWorld;
let configId: string;
let browser: UserAgent;
let session: string;
beforeAll(async () => {
  world = await openConnectedWorld();
  configId = await world.define({ display_name: 'Tools <b>"&amp;' });
  browser = await world.signIn(world.gateway.tokens.member);
  session = await openSession(world.gateway, world.gateway.tokens.member);
});
afterAll(() => world?.close());

const countFlows = async () => (await world.gateway.database.query('SELECT 1 FROM mcp_oauth_flows')).length;

/** Follows the link of the page that asks. */
function findLink(page: Pick<Page, 'text'>): string {
  const [, query = ''] = /<a class="button" href="([^"]+)"/.exec(page.text) ?? [];
  return new URL(query, connectUrl(configId)).href;
}

/** Requests the address without a jar. */
async function ask(headers: Record<string, string>, { query = '', method = 'GET' } = {}) {
  const before = await countFlows();
  const response = await world.gateway.fetch(`${connectUrl(configId)}${query}`, { method, headers });
  const text = await response.text();
  const begun = (await countFlows()) - before;
  return { status: response.status, headers: response.headers, text, begun };
}

const asked = (answer: { status: number; text: string; begun: number }) =>
  answer.status === 200 && answer.text.includes('<h1>Connect ') && answer.begun === 0;
const pairOf = (headers: Headers) => (headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';

test.each([
  ['a link of another site', CHAT],
  ['a typed address, or a link of another program', undefined],
])('%s leads to a page that asks, and its link connects', async (_name, from) => {
  const before = await countFlows();
  const page = await browser.navigate(connectUrl(configId), from === undefined ? {} : { from });
  expect(page).toMatchObject({ status: 200, url: connectUrl(configId) });
  expect(await countFlows()).toBe(before);
  const done = await browser.navigate(findLink(page), { from: connectUrl(configId) });
  expect(done.url.split('?')[0]).toBe(callbackUrl(configId));
  expect(done.text).toContain('Your account is connected.');
  expect(browser.cookies(TEST_PUBLIC_URL).map(({ name }) => name)).toEqual(['gatehouse_session']);
});

test('a page of the gateway connects at once', async () => {
  const page = await browser.navigate(connectUrl(configId), { from: `${TEST_PUBLIC_URL}/graphql` });
  expect(page.url.split('?')[0]).toBe(callbackUrl(configId));
});

test('a program with a token connects at once, wherever it says that it is', async () => {
  const authorization = `Bearer ${world.gateway.tokens.member}`;
  for (const headers of [{}, LINK, { origin: CHAT }]) {
    expect(await ask({ authorization, ...headers })).toMatchObject({ status: 307, begun: 1 });
  }
});

describe('the page that asks', () => {
  test('shows the name as text, loads only its style and icon, runs nothing and cannot be framed', async () => {
    const answer = await ask({ cookie: session, ...LINK });
    expect(answer.text).toContain('<h1>Connect Tools &lt;b&gt;&quot;&amp;amp;?</h1>');
    expect(answer.text).not.toMatch(/<script|<style|<form|<b>/);
    const loaded = [...answer.text.matchAll(/<(?:img|link)[^>]* (?:src|href)="([^"]*)"/g)].map(([, url]) => url);
    const files = ['icon', 'page', 'icon'].map((name) => expect.stringMatching(`^/assets/${name}-`));
    expect(loaded).toEqual(files);
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; " +
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('has a link that works without any header about the origin, once and only in this browser', async () => {
    const page = await ask({ cookie: session });
    expect(asked(page)).toBe(true);
    const cookie = `${session}; ${pairOf(page.headers)}`;
    const { search: query } = new URL(findLink(page));
    // The link alone, or with the cookie of another page.
    const other = `${session}; ${pairOf((await ask({ cookie: session })).headers)}`;
    for (const wrong of [session, other, `${session}; gatehouse_oauth_confirm=`]) {
      expect(asked(await ask({ cookie: wrong, ...LINK }, { query })), wrong.slice(session.length)).toBe(true);
    }
    // The cookie alone: it does not confirm by itself.
    for (const other of ['', '?confirm=', '?confirm=x']) {
      expect(asked(await ask({ cookie, ...LINK }, { query: other })), other).toBe(true);
    }
    const begun = await ask({ cookie }, { query });
    expect(begun).toMatchObject({ status: 307, begun: 1 });
    expect(begun.headers.getSetCookie()).toContainEqual(expect.stringMatching(/^gatehouse_oauth_confirm=; Max-Age=0;/));
  });

  test('has a cookie that only this address gets, and no script', async () => {
    const [cookie = ''] = (await ask({ cookie: session, ...LINK })).headers.getSetCookie();
    expect(cookie).toContain(`; Path=${new URL(connectUrl(configId)).pathname};`);
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Lax/);
  });

  test('is not shown for what cannot be connected', async () => {
    const plain = await world.define({ auth_type: 'none' });
    const headers = { cookie: session, accept: 'text/html', ...LINK };
    const missing = configId.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    for (const [id, status] of [
      [plain, 400],
      [missing, 404],
    ] as const) {
      const response = await world.gateway.fetch(connectUrl(id), { headers });
      expect(response.status).toBe(status);
      expect(await response.text()).toContain('Not connected');
    }
  });
});

test.each<[string, number, { method?: string; headers: Record<string, string> }]>([
  ['a frame of another site', 403, { headers: { ...LINK, 'sec-fetch-dest': 'iframe' } }],
  ['an image of another site', 403, { headers: { ...LINK, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } }],
  [
    'a script of another site',
    403,
    { headers: { ...LINK, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', origin: CHAT } },
  ],
  ['a preview', 204, { method: 'HEAD', headers: { 'sec-fetch-site': 'same-origin' } }],
  ['a prefetch of our own page', 204, { headers: { 'sec-fetch-site': 'same-origin', 'sec-purpose': 'prefetch' } }],
  ['a form of another site', 403, { method: 'POST', headers: LINK }],
])('%s begins nothing', async (_name, status, { method = 'GET', headers }) => {
  expect(await ask({ cookie: session, ...headers }, { method })).toMatchObject({ status, begun: 0 });
});

test('other parameters are refused', async () => {
  const answer = await ask({ cookie: session, 'sec-fetch-site': 'same-origin' }, { query: '?scope=all' });
  expect(answer).toMatchObject({ status: 400, begun: 0 });
});
