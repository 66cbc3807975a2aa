import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { toHarmlessLine } from '../../src/domain/oauth/token-endpoint-error.ts';
import type { HttpEnv } from '../../src/http/context.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createResultPage } from '../../src/http/oauth/result-page.ts';
import { startAuthorizationServer, type TestAuthorizationServer } from '../setup/authorization-server.ts';
import { skipsBrowser, useBrowser, type Visit } from '../setup/browser.ts';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import {
  type BegunConnection,
  type Bringing,
  type ConnectionAnswer,
  type HostileWorld,
  openHostileWorld,
} from '../setup/hostile-provider.ts';
import { createProfiles, type Profiles } from '../setup/profiles.ts';
import { type ProtectedMcpServer, startProtectedMcpServer } from '../setup/protected-mcp-server.ts';
import { openSession } from './browser-session.ts';
import { LOOPBACK_ALLOWED } from './connection-setup.ts';
import { createRestClient, SERVERS } from './rest-client.ts';

const FILES = { icon: '/i', style: '/s', connectedScript: '/c', playgroundStyle: '/p', playgroundScript: '/q' };
const MARKUP = `</p></main><script nonce="x">alert(1)</script>"><img src=x onerror='alert(1)'><!--`;

/** The tags of a page as written. */
function readTags(text: string): string[] {
  return text.match(/<[^>]*>/g) ?? [];
}

let world: HostileWorld;
let session: string;

beforeAll(async () => {
  world = await openHostileWorld();
  session = await openSession(world.gateway, world.gateway.tokens.member);
});
afterAll(() => world?.close());

describe('the final page', () => {
  beforeEach(() => world.provider.reset());

  const begin = async () => world.begin(await world.define(), session);
  const honest = ({ cookie }: BegunConnection) => ({ cookies: [session, cookie] });
  const fail = async (says: Record<string, string>, headers?: Record<string, string>) => {
    const begun = await begin();
    const how = { ...honest(begun), answer: { ...begun.answer, ...says }, ...(headers !== undefined && { headers }) };
    const answer = await world.bring(begun, how);
    await world.expectNothing(begun, answer);
    return answer;
  };
  /** What a page may load. One about a failure runs no scripts at all. */
  const toPolicy = (scripts: string) =>
    `default-src 'none'; ${scripts}style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; ` +
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
  const readPolicy = ({ headers }: ConnectionAnswer) => headers.get('content-security-policy');

  test.each([
    '<script>alert(1)</script>',
    '</p></main><script nonce="x">alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    '</title><svg onload=alert(1)>',
    '</style><style>@import url(//x)</style>',
    '<!--',
    '<base href=//example.com>',
    '<meta http-equiv=refresh content=0;url=//example.com>',
    '\u{ff1c}script\u{ff1e}',
    '&lt;script&gt;&#x3c;script&#x3e;',
    `</script>${'<b>'.repeat(200)}`,
  ])('has what a provider says as text: %s', async (markup) => {
    const show = async (text: string) => (await createResultPage(FILES, { status: 400, title: 'No', text })).text();
    const harmless = await show('no');
    expect(readTags(harmless).join('')).not.toContain('script');
    expect(readTags(await show(toHarmlessLine(markup) ?? ''))).toEqual(readTags(harmless));
    expect(readTags(await show(markup))).toEqual(readTags(harmless));
  });

  test.each(['access_denied', MARKUP, '__proto__'])(
    'runs no scripts after an answer with the error %s',
    async (error) => {
      const harmless = await fail({ error: 'access_denied', error_description: 'no' });
      expect(readTags(harmless.text).join('')).not.toContain('script');
      const answer = await fail({ error, error_description: MARKUP });
      expect(answer.status).toBe(400);
      expect(readTags(answer.text)).toEqual(readTags(harmless.text));
      expect(readPolicy(answer)).toBe(toPolicy(''));
    },
  );

  test('is HTML only for clients that ask for HTML; programs get a problem in JSON', async () => {
    for (const accept of ['', '*/*', 'application/json', 'text/plain']) {
      const answer = await fail({ error: '<b>', error_description: '<script>' }, { accept });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toContain('application/json');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'VALIDATION_FAILED' });
    }
  });

  test('posts only to the page at the public URL, is not cached and cannot be framed', async () => {
    for (const host of ['evil.example.com', 'localhost:4000']) {
      const begun = await begin();
      const headers = { 'x-forwarded-host': host, 'x-forwarded-proto': 'https', origin: `https://${host}` };
      const answer = await world.bring(begun, { ...honest(begun), headers });
      expect(answer.status).toBe(200);
      expect(readPolicy(answer)).toBe(toPolicy("script-src 'self'; "));
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      const scripts = readTags(answer.text).filter((tag) => tag.startsWith('<script'));
      expect(scripts).toEqual([
        '<script type="application/json" id="result">',
        expect.stringMatching(/^<script type="module" src="\/assets\/connected-[\w-]{8}\.js">$/),
      ]);
      const [, told = ''] = /id="result">(.*?)<\/script>/.exec(answer.text) ?? [];
      expect(JSON.parse(told)).toEqual({
        message: { type: 'mcp-oauth2-complete', serverID: begun.configId },
        origin: world.gateway.config.publicUrl,
      });
      expect(answer.text).not.toContain('evil');
    }
  });

  test.each<[string, Pick<Bringing, 'method' | 'headers'>]>([
    ['HEAD', { method: 'HEAD' }],
    ['a prefetch', { headers: { 'sec-purpose': 'prefetch' } }],
    ['a prerender', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
    ['OPTIONS', { method: 'OPTIONS' }],
    ['POST', { method: 'POST', headers: { origin: 'http://localhost:4000' } }],
  ])('is not used up by %s', async (_what, how) => {
    const begun = await begin();
    const answer = await world.bring(begun, { ...honest(begun), ...how });
    await world.expectNothing(begun, answer);
    expect([answer.text.includes('Connected'), answer.headers.get('set-cookie')]).toEqual([false, null]);
    expect((await world.bring(begun, honest(begun))).status).toBe(200);
  });
});

describe('the cookie of a flow', () => {
  const readCookie = (header: string) => {
    const [pair = '', ...attributes] = header.split('; ');
    const [name, value] = pair.split('=');
    const { expires, ...rest } = Object.fromEntries(
      attributes.map((each) => [each.split('=')[0]?.toLowerCase(), each]),
    );
    return { name, value, expires, attributes: Object.values(rest).sort() };
  };

  test.each([
    { publicUrl: TEST_PUBLIC_URL, prefix: '', more: [] },
    { publicUrl: 'https://gatehouse.example.com', prefix: '__Secure-', more: ['Secure'] },
  ])('at $publicUrl is for this callback, this browser and no script', async ({ publicUrl, prefix, more }) => {
    const own = publicUrl === TEST_PUBLIC_URL ? world : await openHostileWorld({ GATEHOUSE_PUBLIC_URL: publicUrl });
    try {
      const cookies = [await openSession(own.gateway, own.gateway.tokens.member)];
      const configId = await own.define();
      const values = new Set<string>();
      for (const spelling of [prefix, 'gatehouse_']) {
        const begun = await own.begin(configId, cookies.join());
        const { name, value = '', expires = '', attributes } = readCookie(begun.setCookie);
        const path = `/api/experimental/mcp/servers/${configId}/oauth2/callback`;
        expect(begun.authorizationUrl.searchParams.get('redirect_uri')).toBe(`${publicUrl}${path}`);
        expect(name).toMatch(new RegExp(`^${prefix}gatehouse_oauth_[0-9a-f]{16}$`));
        expect(attributes).toEqual(['HttpOnly', `Path=${path}`, 'SameSite=Lax', ...more].sort());
        const leftMs = Date.parse(expires.replace(/^Expires=/, '')) - own.gateway.clock.now.getTime();
        expect(leftMs > 598_000 && leftMs <= 600_000).toBe(true);
        expect(Buffer.from(value, 'base64url')).toHaveLength(32);
        values.add(value);
        // Someone who can set cookies for the host without TLS cannot set one with this name.
        const unsafe = `gatehouse_oauth_${name?.split('_').at(-1)}=${value}`;
        const cookie = spelling === prefix ? begun.cookie : unsafe;
        const answer = await own.bring(begun, { cookies: [...cookies, cookie] });
        expect(answer.status).toBe(cookie === begun.cookie ? 200 : 400);
        if (answer.status !== 200) continue;
        const cleared = readCookie(answer.headers.get('set-cookie') ?? '');
        expect(cleared).toMatchObject({ name, value: '', attributes: ['Max-Age=0', ...attributes].sort() });
      }
      expect(values.size).toBe(2);
    } finally {
      if (own !== world) await own.close();
    }
  });
});

describe.skipIf(skipsBrowser)('a real browser', () => {
  let as: TestAuthorizationServer;
  let mcp: ProtectedMcpServer;
  let gateway: TestGateway;
  let server: RunningServer;
  let foreign: Server;
  let profiles: Profiles;
  let origin: string;
  let foreignOrigin: string;
  let visit: Visit;

  beforeAll(async () => {
    as = await startAuthorizationServer();
    mcp = await startProtectedMcpServer({ authorizationServer: as });
    // The port is part of the public URL, so it must be known before the gateway is created.
    const door = new Hono<HttpEnv>();
    door.all('*', (c) => gateway.fetch(c.req.url.slice(new URL(c.req.url).origin.length), c.req.raw));
    server = await listen(door, { host: '127.0.0.1', port: 0 });
    origin = `http://localhost:${server.port}`;
    gateway = await createTestGateway({
      env: { ...LOOPBACK_ALLOWED, GATEHOUSE_PUBLIC_URL: origin, GATEHOUSE_GRAPHIQL: 'false' },
    });
    const speak = "<script>opener.postMessage('later', '*'); close()</script>";
    foreign = createServer(({ url }, response) =>
      response.setHeader('content-type', 'text/html').end(url === '/speak' ? speak : '<p>Hello'),
    );
    foreign.listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    foreignOrigin = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
    profiles = createProfiles(await useBrowser(), origin);
  });
  afterAll(async () => {
    await profiles?.close();
    foreign?.closeAllConnections();
    foreign?.close();
    await server?.close(0);
    await gateway?.close();
    await mcp?.close();
    await as?.close();
  });

  beforeEach(async () => {
    visit = await profiles.open();
    await visit.context.request.get(await gateway.createSignInUrl(), { maxRedirects: 0 });
  });
  afterEach(() => profiles.end());

  const define = async (slug: string) => {
    const fields = { display_name: slug, slug, url: mcp.url, auth_type: 'oauth2', enabled: true };
    const { id } = await createRestClient(gateway).define(fields);
    return { id: String(id), connectUrl: `${origin}${SERVERS}/${id}/oauth2/connect` };
  };

  test("notifies the gateway's own page that opened the popup, and closes it", async () => {
    const { page } = visit;
    const { id, connectUrl } = await define('own');
    await page.goto(await gateway.createSignInUrl());
    await page.goto(`${origin}/healthz`);
    expect(await readState(page, id)).toBe('NEEDS_CONNECT');
    await openPopup(page, connectUrl);
    await expect.poll(() => page.evaluate('heard')).toHaveLength(1);
    expect(await page.evaluate('heard')).toEqual([
      { data: { type: 'mcp-oauth2-complete', serverID: id }, origin, isPopup: true },
    ]);
    expect(await readState(page, id)).toBe('READY');
    // Headers of pages that this one does not need.
    expect(visit.problems.filter((problem) => !problem.includes('status of 404'))).toEqual([]);
  });

  test('tells nothing to a page of another origin that opened the popup', async () => {
    const { page, context } = visit;
    const { id, connectUrl } = await define('foreign');
    await page.goto(foreignOrigin);
    await openPopup(page, connectUrl, { confirms: true });
    // A page of the popup's site may post to anybody, later: a message from the popup would have come before.
    await openPopup(page, `${foreignOrigin.replace('127.0.0.1', 'localhost')}/speak`);
    await expect.poll(() => page.evaluate('heard.at(-1)?.data')).toBe('later');
    expect(await page.evaluate('heard')).toHaveLength(1);
    const own = await context.newPage();
    await own.goto(`${origin}/healthz`);
    expect(await readState(own, id)).toBe('READY');
  });

  test('shows in its own tab that it is connected, and leaves no cookie', async () => {
    const { page, context } = visit;
    const { id, connectUrl } = await define('tab');
    await page.goto(connectUrl);
    await page.getByRole('link', { name: 'Connect' }).click();
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    expect((await context.cookies()).filter(({ name }) => name.includes('oauth'))).toEqual([]);
    await page.goto(`${origin}/healthz`);
    expect(await readState(page, id)).toBe('READY');
  });

  test('does not run text from a provider', async () => {
    const { page, context, problems } = visit;
    const { id, connectUrl } = await define('markup');
    const markup = '</p><script>window.ran = 1</script><img src=x onerror="window.ran = 1"><b id=bold>';
    const headers = { 'sec-fetch-site': 'same-origin' };
    const begun = await context.request.get(connectUrl, { maxRedirects: 0, headers });
    const state = new URL(begun.headers()['location'] ?? '').searchParams.get('state') ?? '';
    const says = { state, iss: as.issuer, error: markup, error_description: markup };
    const answer = await page.goto(`${origin}${SERVERS}/${id}/oauth2/callback?${new URLSearchParams(says)}`);
    expect(answer?.status()).toBe(400);
    await page.getByText(markup).waitFor();
    expect(
      await page.evaluate('[window.ran, document.scripts.length, document.images.length, document.all.bold]'),
    ).toEqual([undefined, 0, 1, undefined]);
    expect(problems.filter((problem) => !problem.includes('status of 400'))).toEqual([]);
  });
});

/**
 * Opens a popup from a script of the page, which records messages, and waits until the popup is closed.
 *
 * @param confirms whether the popup asks first, because the page is of another site
 */
async function openPopup(page: Page, url: string, { confirms = false } = {}): Promise<void> {
  const opened = page.waitForEvent('popup');
  await page.evaluate(`
    globalThis.heard ??= [];
    onmessage = ({ data, origin, source }) => heard.push({ data, origin, isPopup: source === popup });
    popup = open(${JSON.stringify(url)}, 'connect', 'popup,width=600,height=700');
  `);
  const popup = await opened;
  if (confirms) await popup.getByRole('link', { name: 'Connect' }).click();
  if (!popup.isClosed()) await popup.waitForEvent('close');
}

/** The server's state for the user who is signed in in this browser. */
async function readState(page: Page, id: string): Promise<string> {
  const { origin } = new URL(page.url());
  const response = await page.context().request.post(`${origin}/graphql`, {
    headers: { origin },
    data: { query: `{ mcpServerConfig(id: "${id}") { viewerState } }` },
  });
  const { data } = (await response.json()) as { data: { mcpServerConfig: { viewerState: string } } };
  return data.mcpServerConfig.viewerState;
}
