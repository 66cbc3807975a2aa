import { Hono } from 'hono';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpEnv } from '../../src/http/context.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { skipsBrowser, useBrowser, type Visit } from '../setup/browser.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createProfiles, type Profiles } from '../setup/profiles.ts';
import { CLIENT_ID, type SignInProvider, startSignInProvider } from '../setup/sign-in-provider.ts';

/** In place of GraphiQL's script. */
const NO_EDITOR = {
  contentType: 'text/javascript',
  body: 'globalThis.YogaGraphiQL = { renderYogaGraphiQL() {} };',
};

describe.skipIf(skipsBrowser)('with a real browser and a certified provider', () => {
  let server: RunningServer;
  let provider: SignInProvider;
  let gateway: TestGateway;
  let browser: Browser;
  let profiles: Profiles;
  let origin: string;
  let visit: Visit;

  beforeAll(async () => {
    // The port is part of the public URL, so it must be known before the gateway is created.
    const door = new Hono<HttpEnv>();
    door.all('*', (c) => gateway.app.fetch(c.req.raw, c.env));
    server = await listen(door, { host: '127.0.0.1', port: 0 });
    origin = `http://localhost:${server.port}`;
    provider = await startSignInProvider({ gatewayUrl: origin, authMethod: 'none' });
    gateway = await createTestGateway({
      env: {
        GATEHOUSE_PUBLIC_URL: origin,
        GATEHOUSE_OIDC_ISSUER: provider.issuer,
        GATEHOUSE_OIDC_CLIENT_ID: CLIENT_ID,
        GATEHOUSE_OIDC_LABEL: 'Example account',
        GATEHOUSE_OIDC_EMAIL_DOMAINS: 'example.com',
        GATEHOUSE_OIDC_ROLE_MAP: 'gatehouse-admins=admin',
      },
      // A stream of a session that ended may live on for so long.
      streamLimits: { renewMs: 250 },
    });
    // Its clock goes, as the provider's does: a logout token from the future would be refused, and the session would stay.
    Object.defineProperty(gateway.clock, 'now', { get: () => new Date() });
    browser = await useBrowser();
    profiles = createProfiles(browser, origin);
  });
  beforeEach(async () => {
    provider.nextAccount = { sub: 'ada', email: 'ada@example.com', email_verified: true };
    visit = await profiles.open();
  });
  afterEach(() => profiles.end());
  afterAll(async () => {
    await profiles?.close();
    await server?.close(0);
    await gateway?.close();
    await provider?.close();
  });

  /** Signs in at the page of the playground, without its editor: that is 9 MB of scripts, which browser.test.ts shows. */
  async function signIn(page: Page, viewer: string): Promise<void> {
    await page.route('**/graphql/assets/graphiql.*.js', (route) => route.fulfill(NO_EDITOR));
    await page.goto(`${origin}/graphql`);
    await page.getByRole('link', { name: 'Sign in with Example account' }).click();
    await page.locator('#viewer', { hasText: viewer }).waitFor();
    expect(page.url()).toBe(`${origin}/graphql`);
  }

  /** Who is signed in, as a page of the gateway finds out. */
  const whoIs = (page: Page): Promise<string | undefined> =>
    page.evaluate(`fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { email } }' }),
    }).then((response) => response.json()).then(({ data }) => data?.viewer.email)`);

  test('people sign in, with the role that their groups mean', async () => {
    const { page, problems, context } = visit;
    await signIn(page, 'ada@example.com (MEMBER)');
    const cookies = await context.cookies(origin);
    expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([
      ['gatehouse_session', true, 'Lax'],
    ]);
    expect(problems).toEqual([]);

    provider.nextAccount = {
      sub: 'grace',
      email: 'grace@example.com',
      email_verified: true,
      gatehouse_role: ['staff', 'gatehouse-admins'],
    };
    const second = await profiles.open();
    await signIn(second.page, 'grace@example.com (ADMIN)');
    expect(second.problems).toEqual([]);
    expect(await whoIs(page)).toBe('ada@example.com');
  });

  test('people of another domain read why they are not admitted', async () => {
    provider.nextAccount = { sub: 'mallory', email: 'mallory@evil-example.com', email_verified: true };
    const { page, context } = visit;
    await page.goto(`${origin}/auth/sign-in`);
    await page.getByRole('link', { name: 'Sign in with Example account' }).click();
    await page.getByRole('alert').filter({ hasText: 'of a domain that this gateway does not admit' }).waitFor();
    expect((await context.cookies(origin)).map(({ name }) => name)).toEqual([]);
  });

  test('signing out ends the session here, and then at the provider', async () => {
    const { page, problems } = visit;
    await signIn(page, 'ada@example.com');
    await page.evaluate(`fetch('/auth/sign-out', { method: 'POST' })`);
    expect(await whoIs(page)).toBeUndefined();
    problems.length = 0;
    await page.goto(`${origin}/auth/signed-out`);
    await page.getByRole('link', { name: 'Sign out of Example account' }).click();
    await page.getByRole('button', { name: /yes/i }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(page.url().split('?')[0]).toBe(`${origin}/auth/signed-out`);
    // The provider does not remember them: it would otherwise let the next person in as them.
    provider.nextAccount = { sub: 'hedy', email: 'hedy@example.com', email_verified: true };
    await signIn(page, 'hedy@example.com');
    // The provider's own page has files that this browser cannot load.
    expect(problems.filter((problem) => problem.includes('Content Security Policy'))).toEqual([]);
  });

  test('signing out at the provider ends the session here, with its open page', async () => {
    const { page, context } = visit;
    await signIn(page, 'ada@example.com');
    const other = await profiles.open();
    await signIn(other.page, 'ada@example.com');
    await page.evaluate(`(async () => {
        const response = await fetch('/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
          body: JSON.stringify({ query: 'subscription { mcpServerConfigEvents(includeInitial: true) { type } }' }),
        });
        const reader = response.body.getReader();
        let text = new TextDecoder().decode((await reader.read()).value);
        window.ended = (async () => {
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return text;
            text += new TextDecoder().decode(value);
          }
        })();
      })()`);
    const provided = await context.newPage();
    await provided.goto(`${provider.issuer}/session/end`);
    await provided.getByRole('button', { name: /yes/i }).click();
    expect(await page.evaluate('window.ended')).toContain('UNAUTHENTICATED');
    expect(await whoIs(page)).toBeUndefined();
    expect(await whoIs(other.page)).toBe('ada@example.com');
  });

  test('both ways to sign in work without scripts', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    try {
      const page = await context.newPage();
      await page.goto(`${origin}/auth/sign-in?return_to=/auth-is-done`);
      await page.getByLabel('Token').fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').filter({ hasText: 'rejected this token' }).waitFor();
      await page.getByLabel('Token').fill(gateway.tokens.auditor);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL(`${origin}/auth-is-done`);
      expect((await context.cookies(origin)).map(({ name }) => name)).toEqual(['gatehouse_session']);
      await context.clearCookies();
      await page.goto(`${origin}/auth/sign-in?return_to=/auth-is-done`);
      await page.getByRole('link', { name: 'Sign in with Example account' }).click();
      await page.waitForURL(`${origin}/auth-is-done`);
      expect((await context.cookies(origin)).map(({ name }) => name)).toEqual(['gatehouse_session']);
    } finally {
      await context.close();
    }
  });

  test.each(['light', 'dark'] as const)('the pages fit into 320 pixels, in %s', async (colorScheme) => {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, colorScheme });
    try {
      const page = await context.newPage();
      for (const path of ['/auth/sign-in', '/auth/oidc/callback?state=x', '/auth/signed-out']) {
        await page.goto(`${origin}${path}`);
        expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(320);
        const heading = page.getByRole('heading', { level: 1 });
        expect(await heading.count()).toBe(1);
        const shots = process.env['SHOTS'];
        if (shots !== undefined)
          await page.screenshot({ path: `${shots}/${colorScheme}${path.replace(/\W+/g, '-')}.png`, fullPage: true });
      }
    } finally {
      await context.close();
    }
  });
});
