import { decodeJwt, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readAllRows } from '../graphql/database-rows.ts';
import { createOidcSigner } from '../setup/oidc-signer.ts';
import type { Landing, TinyBrowser } from '../setup/tiny-browser.ts';
import { openSignInWorld, type SignInWorld, signIn, whoIsIn } from './sign-in-world.ts';

/** The cookie of the one sign-in that a browser has begun. */
function pendingOf(browser: TinyBrowser): [name: string, value: string] {
  const all = [...browser.jarOf(world.url)].filter(([name]) => name.startsWith('gatehouse_sign_in_'));
  expect(all).toHaveLength(1);
  return all[0] as [string, string];
}

let world: SignInWorld;
beforeAll(async () => {
  world = await openSignInWorld({ env: { GATEHOUSE_MAX_WRONG_CREDENTIALS_PER_MINUTE: '100' } });
});
beforeEach(() => {
  world.provider.nextAccount = { sub: 'ada', email: 'ada@example.com', email_verified: true };
});
afterEach(() => {
  world.provider.forge = undefined;
  world.provider.instead = undefined;
  // Wrong codes count as guesses, and keys and metadata are read again after a while.
  world.gateway.clock.advance(60_000);
});
afterAll(() => world?.close());

const isCallback = (url: string): boolean => url.includes('/auth/oidc/callback');

/** A browser that comes back from the provider, and has not been let in yet. */
async function comeBack(returnTo?: string): Promise<{ browser: TinyBrowser; callback: URL; authorization: string }> {
  const browser = world.browser();
  const query = returnTo === undefined ? '' : `?${new URLSearchParams({ return_to: returnTo })}`;
  const begun = await browser.open(`${world.url}/auth/oidc/sign-in${query}`, (url) => url.includes('/auth?'));
  const { url } = await browser.open(begun.url, isCallback);
  return { browser, callback: new URL(url), authorization: begun.url };
}

async function countSessions(): Promise<number> {
  return (await readAllRows(world.gateway.database))['sessions']?.length ?? 0;
}

/** Shows that a browser was not let in, and that a person can read why and what to do. */
async function expectNobody(browser: TinyBrowser, landing: Landing, status: number, text: string): Promise<void> {
  expect([landing.status, landing.url.split('?')[0]]).toEqual([status, expect.stringContaining(world.url)]);
  expect(landing.headers.get('content-type')).toMatch(/^text\/html/);
  expect(landing.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'/);
  expect(landing.text).toContain('<h1>Not signed in</h1>');
  expect(landing.text.replaceAll('&#39;', "'")).toContain(text);
  expect(landing.text).toContain('>Try again</a>');
  expect(landing.text).not.toMatch(/<script|style=|\.ts:|node_modules/);
  expect(landing.headers.getSetCookie().join()).not.toContain('gatehouse_session');
  expect(await whoIsIn(world, browser)).toBeUndefined();
}

describe('a browser returns only to the gateway', () => {
  test.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    '/%2Fevil.example',
    '/%5cevil.example',
    '%2F%2Fevil.example',
    'https://evil.example/',
    'http://localhost:4000@evil.example/',
    'http:/evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'graphql',
    '',
    '/auth/sign-in',
    '/AUTH/oidc/sign-in',
    `/${'a'.repeat(600)}`,
    '/\u202eevil',
  ])('and not to %j', async (returnTo) => {
    const { browser, callback } = await comeBack(returnTo);
    const response = await browser.request(callback.href);
    expect([response.status, response.headers.get('location')]).toEqual([303, '/']);
  });

  test.each([
    ['/graphql', '/graphql'],
    ['/graphql?query={viewer{id}}', '/graphql?query={viewer{id}}'],
    ['/a/../b?c=//evil.example', '/b?c=//evil.example'],
    ['/servers#part', '/servers'],
  ])('such as %s', async (returnTo, location) => {
    const { browser, callback } = await comeBack(returnTo);
    expect((await browser.request(callback.href)).headers.get('location')).toBe(location);
  });
});

const UNKNOWN = 'This sign-in was not started in this browser, or was already used.';

describe('nobody is signed in by an answer', () => {
  test.each<[string, number, string, (query: URLSearchParams) => void]>([
    ['with another state', 400, UNKNOWN, (query) => query.set('state', 'a'.repeat(43))],
    ['without a state', 400, UNKNOWN, (query) => query.delete('state')],
    ['with an empty state', 400, UNKNOWN, (query) => query.set('state', '')],
    ['with two states', 400, 'contains the parameter &quot;state&quot; twice', (query) => query.append('state', 'b')],
    ['of another issuer', 400, 'a different authorization server', (query) => query.set('iss', 'https://evil.example')],
    ['of an issuer that almost looks like it', 400, 'a different', (query) => query.set('iss', `${query.get('iss')}/`)],
    ['that does not name its issuer', 400, 'a different authorization server', (query) => query.delete('iss')],
    ['without a code', 400, 'has no authorization code', (query) => query.delete('code')],
    ['with an invented code', 400, 'does not accept this sign-in', (query) => query.set('code', 'invented')],
    ['with an error', 400, 'declined access', (query) => query.set('error', 'access_denied')],
  ])('%s', async (_name, status, text, change) => {
    const { browser, callback } = await comeBack();
    change(callback.searchParams);
    const before = await countSessions();
    await expectNobody(browser, await browser.open(callback.href), status, text);
    expect(await countSessions()).toBe(before);
  });

  test('that comes too late', async () => {
    const { browser, callback } = await comeBack();
    world.gateway.clock.advance(600_000);
    await expectNobody(browser, await browser.open(callback.href), 400, 'This sign-in took too long.');
  });

  test('that was used before, also with the cookie of then', async () => {
    const { browser, callback, authorization } = await comeBack();
    const [name, cookie] = pendingOf(browser);
    expect((await browser.request(callback.href)).status).toBe(303);
    const other = world.browser();
    await expectNobody(other, await other.open(callback.href), 400, UNKNOWN);
    other.jarOf(world.url).set(name, cookie);
    await expectNobody(other, await other.open(callback.href), 400, 'does not accept this sign-in');
    // A fresh code for the same request, so that nothing but the gateway's own memory is in the way.
    const again = await browser.open(authorization, isCallback);
    other.jarOf(world.url).set(name, cookie);
    await expectNobody(other, await other.open(again.url), 400, UNKNOWN);
  });

  test('that another browser asked for', async () => {
    const [mine, theirs] = [await comeBack(), await comeBack()];
    const stranger = world.browser();
    await expectNobody(stranger, await stranger.open(mine.callback.href), 400, UNKNOWN);
    await expectNobody(theirs.browser, await theirs.browser.open(mine.callback.href), 400, UNKNOWN);
  });

  test('with the cookie of another sign-in under the right name', async () => {
    const [mine, theirs] = [await comeBack(), await comeBack()];
    mine.browser.jarOf(world.url).set(pendingOf(mine.browser)[0], pendingOf(theirs.browser)[1]);
    await expectNobody(mine.browser, await mine.browser.open(mine.callback.href), 400, UNKNOWN);
  });

  test('with the code of another sign-in', async () => {
    const [mine, theirs] = [await comeBack(), await comeBack()];
    mine.callback.searchParams.set('code', theirs.callback.searchParams.get('code') ?? '');
    await expectNobody(mine.browser, await mine.browser.open(mine.callback.href), 400, 'does not accept this sign-in');
  });

  test.each<[string, (cookie: string) => string]>([
    ['changed', (cookie) => `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`],
    ['cut', (cookie) => cookie.slice(0, 40)],
    ['invented', () => 'a'.repeat(300)],
    ['something else', () => '%00"'],
  ])('with a cookie that is %s', async (_name, change) => {
    const { browser, callback } = await comeBack();
    const [name, cookie] = pendingOf(browser);
    browser.jarOf(world.url).set(name, change(cookie));
    await expectNobody(browser, await browser.open(callback.href), 400, UNKNOWN);
  });
});

describe('nobody is signed in by an ID token', () => {
  const seconds = () => Math.floor(Date.now() / 1_000);
  const sign = (claims: object, header = {}) => world.provider.signer().sign({ ...claims }, { typ: 'JWT', ...header });
  const FORGERIES: [string, (claims: Record<string, unknown>) => Promise<string> | string][] = [
    ['of another sign-in', (claims) => sign({ ...claims, nonce: 'a'.repeat(43) })],
    ['without a nonce', ({ nonce: _nonce, ...claims }) => sign(claims)],
    ['of another issuer', (claims) => sign({ ...claims, iss: 'https://evil.example' })],
    ['for another client', (claims) => sign({ ...claims, aud: 'another' })],
    ['for several clients, and issued to another', (claims) => sign({ ...claims, aud: ['gatehouse', 'b'], azp: 'b' })],
    ['that expired', (claims) => sign({ ...claims, iat: seconds() - 900, exp: seconds() - 300 })],
    ['that does not expire', ({ exp: _exp, ...claims }) => sign(claims)],
    ['without a subject', ({ sub: _sub, ...claims }) => sign(claims)],
    ['for another purpose', (claims) => sign(claims, { typ: 'logout+jwt' })],
    ['of alg none', (claims) => new UnsecuredJWT(claims).encode()],
    [
      'signed with another key',
      async (claims) => (await createOidcSigner('RS256', 'first')).sign(claims, { typ: 'JWT' }),
    ],
    ['with another key id', async (claims) => (await createOidcSigner('RS256', 'x')).sign(claims, { typ: 'JWT' })],
    ['that is no token', () => 'a.b.c'],
  ];
  test.each(FORGERIES)('%s', async (_name, forge) => {
    const { browser, callback } = await comeBack();
    world.provider.forge = {
      path: '/token',
      change: async (answer) => ({ ...answer, id_token: await forge(decodeJwt(String(answer['id_token']))) }),
    };
    const before = await countSessions();
    const landing = await browser.open(callback.href);
    await expectNobody(browser, landing, 400, 'could not be verified, so nobody was signed in');
    expect(await countSessions()).toBe(before);
    expect(world.gateway.logs()).toContain('the OpenID Connect issuer cannot be used');
  });

  test('that is honest, with an honest answer: the forgeries fail for their own reason', async () => {
    const { browser, callback } = await comeBack();
    world.provider.forge = {
      path: '/token',
      change: async (answer) => ({ ...answer, id_token: await sign(decodeJwt(String(answer['id_token']))) }),
    };
    expect((await browser.request(callback.href)).status).toBe(303);
    expect(await whoIsIn(world, browser)).toBeDefined();
  });

  test('that is missing', async () => {
    const { browser, callback } = await comeBack();
    world.provider.forge = { path: '/token', change: async ({ id_token: _token, ...answer }) => answer };
    await expectNobody(browser, await browser.open(callback.href), 400, 'could not be verified');
  });

  test('with claims of somebody else beside it', async () => {
    const { browser, callback } = await comeBack();
    world.provider.forge = { path: '/me', change: async (claims) => ({ ...claims, sub: 'admin' }) };
    await expectNobody(browser, await browser.open(callback.href), 400, 'could not be verified');
  });
});

describe('a provider that is away', () => {
  const AWAY = 'Example account does not answer as it should at the moment. Try again.';

  test('at the beginning is told, and another try works', async () => {
    world.gateway.clock.advance(600_000);
    world.provider.instead = (_request, response) => response.writeHead(503).end('<h1>Maintenance</h1>');
    const browser = world.browser();
    const landing = await signIn(world, browser, '/graphql?operationName=A');
    await expectNobody(browser, landing, 502, AWAY);
    const [, again = ''] = /href="(\/auth\/oidc\/sign-in[^"]*)"/.exec(landing.text) ?? [];
    world.provider.instead = undefined;
    world.gateway.clock.advance(2_000);
    const second = await browser.open(`${world.url}${again.replaceAll('&amp;', '&')}`);
    expect(second.url).toBe(`${world.url}/graphql?operationName=A`);
    expect(await whoIsIn(world, browser)).toBeDefined();
  });

  test('is asked once, however many begin', async () => {
    world.gateway.clock.advance(600_000);
    world.provider.instead = (_request, response) => response.writeHead(503).end();
    const before = world.provider.requests.length;
    await Promise.all(Array.from({ length: 20 }, () => world.gateway.fetch('/auth/oidc/sign-in')));
    await world.gateway.fetch('/auth/oidc/sign-in');
    // Two places where metadata can be.
    expect(world.provider.requests.length - before).toBe(2);
  });

  test.each<[string, (path: string) => boolean]>([
    ['when the code is exchanged', (path) => path === '/token'],
    ['when the claims are read', (path) => path === '/me'],
  ])('%s is told', async (_name, isAway) => {
    const { browser, callback } = await comeBack();
    const honest = world.provider.requests.length;
    world.provider.instead = (request, response) => {
      if (isAway(request.url ?? '')) request.socket.destroy();
      else world.provider.pass(request, response);
    };
    await expectNobody(browser, await browser.open(callback.href), 502, AWAY);
    expect(world.provider.requests.length).toBeGreaterThan(honest);
  });

  test('or answers programs gets them a coded error', async () => {
    const response = await world.gateway.fetch('/auth/oidc/callback?state=x', {
      headers: { accept: 'application/json' },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

describe('what costs the provider a request', () => {
  test('is limited for each network', async () => {
    const { browser, callback } = await comeBack();
    const cookie = pendingOf(browser).join('=');
    callback.searchParams.set('code', 'invented');
    const path = `${callback.pathname}${callback.search}`;
    const before = world.provider.requests.length;
    const statuses: number[] = [];
    for (let times = 0; times < 130; times += 1) {
      const headers = { cookie, accept: 'text/html' };
      statuses.push((await world.gateway.fetch(path, { headers }, '203.0.113.9')).status);
    }
    expect([statuses[0], statuses.at(-1)]).toEqual([400, 429]);
    const refused = await world.gateway.fetch(path, { headers: { cookie, accept: 'text/html' } }, '203.0.113.9');
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(await refused.text()).toContain('Wait a minute, then try again.');
    expect(world.provider.requests.length - before).toBeLessThanOrEqual(101);
    const honest = await world.gateway.fetch('/auth/oidc/sign-in', {}, '203.0.113.9');
    expect(honest.status).toBe(303);
  });

  test('is nothing without a cookie that the gateway made', async () => {
    const before = world.provider.requests.length;
    for (let times = 0; times < 20; times += 1) await world.gateway.fetch('/auth/oidc/callback?code=a&state=b');
    expect(world.provider.requests.length).toBe(before);
  });
});
