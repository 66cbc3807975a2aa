import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { skipsBrowser, type Visit } from '../setup/browser.ts';
import { whoIs } from './browser-session.ts';
import { findBarriers } from './console-barriers.ts';
import { pressAt } from './console-keyboard.ts';
import { type ConsoleWorld, useConsoleWorld } from './console-setup.ts';

/** What browsers note of a gateway that they cannot reach: each try to open the WebSocket, and questions on their way. */
const UNREACHABLE = /^(?:WebSocket connection to .* failed|POST \/graphql failed: |Failed to load resource: net::)/;

describe.skipIf(skipsBrowser)('the console, for a member', () => {
  let world: ConsoleWorld;
  const { enter: open } = useConsoleWorld((opened) => {
    world = opened;
  });

  const enter = (path = '/'): Promise<Visit> => open(path, 'member');
  const readCookie = async (context: BrowserContext): Promise<string> => {
    const session = (await context.cookies()).find(({ name }) => name === 'gatehouse_session');
    return `gatehouse_session=${session?.value}`;
  };
  /** Ends the session of a browser somewhere else: nobody tells the browser. */
  const endSession = async (context: BrowserContext): Promise<void> => {
    const headers = { cookie: await readCookie(context), origin: world.origin };
    const { status } = await world.gateway.fetch('/auth/session', { method: 'DELETE', headers });
    expect(status).toBe(204);
  };
  const row = (page: Page, name: string) =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) });

  test('says what to do next while there are no servers, and shows one when an admin turns it on', async () => {
    const { page } = await enter();
    await page.getByText('An admin of this gateway defines the servers.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    const id = await world.define({
      slug: 'open',
      display_name: 'Open tools',
      description: 'Echoes.',
      availability: 'default_on',
    });
    await row(page, 'Open tools').getByText('Ready').waitFor();
    await world.change(id, { enabled: false });
    await page.getByText('An admin of this gateway defines the servers.').waitFor();
    await world.change(id, { enabled: true });
    await row(page, 'Open tools').waitFor();
  });

  test('connects by the keyboard in a window of its own, and disconnects again', async () => {
    await world.define({ slug: 'calendar', display_name: 'Calendar', auth_type: 'oauth2' });
    const { page, context } = await enter();
    const calendar = row(page, 'Calendar');
    await calendar.getByText('Not connected').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await calendar.getByRole('button', { name: 'Connect: Calendar' }).focus();
    const popup = context.waitForEvent('page');
    await page.keyboard.press('Enter');
    await popup;
    await calendar.getByText('Ready').waitFor();

    await pressAt(calendar.getByRole('button', { name: 'Disconnect: Calendar' }));
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('Its tools stop working for you').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    // The dialog goes with a movement, and the notice comes with one.
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await pressAt(dialog.getByRole('button', { name: 'Disconnect' }));
    await page.getByText('Calendar is disconnected').first().waitFor();
    await calendar.getByText('Not connected').waitFor();
  });

  test('says why a server can be used or not, and makes a token that can be revoked', async () => {
    await world.define({ slug: 'mail', display_name: 'Mail', auth_type: 'oauth2' });
    const { page } = await enter('/servers/mail');
    await page.getByRole('heading', { name: 'Your account is connected' }).waitFor();
    await page.getByText('What helps:').first().waitFor();
    expect(await findBarriers(page)).toEqual([]);

    await pressAt(page.getByRole('link', { name: 'My account' }));
    await page.getByText('This browser').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(page.getByRole('button', { name: 'New token' }));
    const dialog = page.getByRole('dialog');
    await pressAt(dialog.getByRole('button', { name: 'Create the token' }));
    await dialog.locator('[aria-invalid="true"]').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await dialog.getByLabel('Name').fill('Editor');
    await pressAt(dialog.getByRole('button', { name: 'Create the token' }));
    await dialog.getByText(/^gth_/).waitFor();
    await pressAt(dialog.getByRole('button', { name: 'Done' }));
    await pressAt(page.getByRole('button', { name: 'Revoke: Editor' }));
    await pressAt(page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }));
    await page.getByText('One that ended').waitFor();
  });

  test('says that it is not live while the gateway cannot be reached, then catches up and has missed nothing', async () => {
    const id = await world.define({ slug: 'notes', display_name: 'Notes' });
    const { page, problems } = await enter();
    await row(page, 'Notes').waitFor();
    // A change arrives: the page is live.
    await world.change(id, { display_name: 'My notes' });
    await row(page, 'My notes').waitFor();
    expect(await page.getByText('Not live').count()).toBe(0);

    world.proxy.refuse();
    await page.getByText('The connection to the gateway is interrupted.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await world.change(id, { enabled: false });
    await world.define({ slug: 'tasks', display_name: 'Tasks' });
    expect(await row(page, 'My notes').count()).toBe(1);
    world.proxy.pass();
    await row(page, 'Tasks').waitFor();
    expect(await row(page, 'My notes').count()).toBe(0);
    await page.getByText('Not live').waitFor({ state: 'hidden' });
    for (const problem of problems.splice(0)) expect(problem).toMatch(UNREACHABLE);
  });

  test('keeps what it shows when a question that a change led to is not answered, and asks again', async () => {
    const id = await world.define({ slug: 'steady', display_name: 'Steady' });
    const { page, problems } = await enter();
    await row(page, 'Steady').waitFor();
    let refused = 0;
    await page.route('**/graphql', (route) => {
      refused += 1;
      return route.abort();
    });
    await world.change(id, { display_name: 'Steadier' });
    // Of the session, and of the list: each is asked once more.
    await expect.poll(() => refused).toBeGreaterThan(3);
    expect(await row(page, 'Steady').count()).toBe(1);
    await page.unroute('**/graphql');
    await row(page, 'Steadier').waitFor();
    expect(await page.getByText('Not live').count()).toBe(0);
    for (const problem of problems.splice(0)) expect(problem).toContain('net::ERR_FAILED');
  });

  test('begins anew after so long that the gateway does not keep the changes any more', async () => {
    const id = await world.define({ slug: 'old', display_name: 'Old' });
    const { page, problems } = await enter();
    await row(page, 'Old').waitFor();
    world.proxy.refuse();
    await page.getByText('The connection to the gateway is interrupted.').waitFor();
    await world.change(id, { display_name: 'Quite old' });
    await world.change(id, { display_name: 'Older' });
    const week = 7 * 24 * 60 * 60 * 1_000;
    // Changes have the time of the database.
    world.gateway.clock.now = new Date();
    world.gateway.clock.advance(week + 60_000);
    expect((await world.gateway.expire()).changes).toBeGreaterThan(1);
    world.gateway.clock.advance(-week - 60_000);
    world.proxy.pass();
    await row(page, 'Older').waitFor();
    await page.getByText('Not live').waitFor({ state: 'hidden' });
    await world.change(id, { display_name: 'Oldest' });
    await row(page, 'Oldest').waitFor();
    for (const problem of problems.splice(0)) expect(problem).toMatch(UNREACHABLE);
  });

  test('offers a link when the browser blocks the window in which one connects', async () => {
    await world.define({ slug: 'blocked', display_name: 'Blocked', auth_type: 'oauth2' });
    const { page, context } = await enter();
    await page.evaluate('window.open = () => null');
    await pressAt(row(page, 'Blocked').getByRole('button', { name: 'Connect: Blocked' }));
    await row(page, 'Blocked').getByText('The browser blocked the window.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    const tab = context.waitForEvent('page');
    await pressAt(row(page, 'Blocked').getByRole('link', { name: 'Open it in a tab' }));
    await tab;
    await row(page, 'Blocked').getByText('Ready').waitFor();
  });

  test('counts a request that is given up without a word as a problem', async () => {
    const { page, problems } = await enter('/account');
    await page.getByText('This browser').waitFor();
    await page.route('**/held', () => {});
    const asked = page.waitForRequest('**/held');
    await page.evaluate('globalThis.held = new AbortController(); void fetch("/held", held).catch(() => {})');
    await asked;
    const failed = page.waitForEvent('requestfailed');
    await page.evaluate('held.abort()');
    await failed;
    expect(problems.splice(0)).toEqual(['GET /held failed: net::ERR_ABORTED']);
    await page.unroute('**/held');
  });

  test('leads who is not signed in to the sign-in page and back, and signs out', async () => {
    const { page, context, problems } = await enter('/account');
    await page.getByText('This browser').waitFor();
    await pressAt(page.getByRole('button', { name: 'Sign out' }));
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(await context.cookies()).toEqual([]);
    await page.goto(`${world.origin}/account`);
    await page.getByLabel('Token').fill(world.gateway.tokens.member);
    await pressAt(page.getByRole('button', { name: 'Sign in' }));
    await page.getByText('This browser').waitFor();
    expect(new URL(page.url()).pathname).toBe('/account');
    // The console asked who is signed in. Browsers note each answer with such a status.
    for (const problem of problems.splice(0)) expect(problem).toContain('status of 401');
  });

  test('stays where it is while it signs out, however late the answer comes', async () => {
    const { page, problems } = await enter('/account');
    await page.getByText('This browser').waitFor();
    // Once the first request is under way; by the page's clock soon after it, however slow this machine is.
    const pressTwice = (button: any): void => {
      const at = performance.now();
      button.click();
      setTimeout(() => {
        const { now } = performance;
        performance.now = () => at + 1;
        button.click();
        performance.now = now;
      }, 300);
    };
    let requests = 0;
    await page.route('**/auth/sign-out', async (route) => {
      requests += 1;
      let sockets = 0;
      page.on('websocket', () => {
        sockets += 1;
      });
      const response = await route.fetch({ maxRedirects: 0 });
      // The console has noticed that the session has ended: its WebSocket was closed, the next one was refused, and it tries again.
      await expect.poll(() => sockets).toBeGreaterThan(1);
      await route.fulfill({ response });
    });
    await page.getByRole('button', { name: 'Sign out' }).evaluate(pressTwice);
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    expect(requests).toBe(1);
    for (const problem of problems.splice(0)) expect(problem).toContain('status of 401');
  });

  test('keeps what was typed when the session ends, and goes on once its user has signed in elsewhere', async () => {
    await world.define({ slug: 'of-the-chat', display_name: 'Of the chat' });
    const { page, context, problems } = await enter('/chats');
    await pressAt(page.getByRole('button', { name: 'New chat' }));
    await page.getByRole('textbox', { name: 'Message' }).fill('Half a thought');
    await endSession(context);
    await page.getByText('Your session has ended. What you typed is still here').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    // What is refused leaves the page as it is.
    await pressAt(page.getByRole('checkbox', { name: 'Of the chat' }), 'Space');
    await page.getByRole('region', { name: 'Servers of this chat' }).getByRole('alert').waitFor();
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('Half a thought');
    const signInPage = context.waitForEvent('page');
    await pressAt(page.getByRole('link', { name: 'sign in in another tab' }));
    const other = await signInPage;
    await other.getByLabel('Token').fill(world.gateway.tokens.member);
    await pressAt(other.getByRole('button', { name: 'Sign in' }));
    await page.getByText('Your session has ended.').waitFor({ state: 'hidden' });
    expect(await page.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('Half a thought');
    await pressAt(page.getByRole('button', { name: 'Send' }));
    await page.getByRole('listitem').getByText('Half a thought').waitFor();

    await pressAt(page.getByRole('button', { name: 'Rename' }));
    const dialog = page.getByRole('dialog', { name: 'Rename the chat' });
    await dialog.getByLabel('Title').fill('A thought');
    await endSession(context);
    await dialog.getByText('Your session has ended. What you typed is still here').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await dialog.getByLabel('Title').inputValue()).toBe('A thought');
    await pressAt(dialog.getByRole('button', { name: 'Cancel' }));
    // Nothing would be lost any more.
    await page.getByLabel('Token').waitFor();
    expect(new URL(page.url()).searchParams.get('return_to')).toMatch(/^\/chats\/./);
    for (const problem of problems.splice(0)) expect(problem).toContain('status of 401');
  });

  test('goes on when its user signs in again beside it, and is that of another user who does', async () => {
    const { page, context, problems } = await enter('/account');
    await page.getByText('This browser').waitFor();
    await page.evaluate('globalThis.isSamePage = true');
    const signIn = async (role: 'admin' | 'member'): Promise<void> => {
      const link = await world.gateway.graphql(
        'mutation ($userId: UUID!) { createSignInLink(input: { userId: $userId }) { url } }',
        { token: world.gateway.tokens.admin, variables: { userId: world.gateway.userIds[role] } },
      );
      const other = await context.newPage();
      await other.goto(link.data.createSignInLink.url);
      await other.close();
    };
    const nextSocket = page.waitForEvent('websocket');
    await signIn('member');
    await (await nextSocket).waitForEvent('framereceived');
    expect(await page.evaluate('globalThis.isSamePage')).toBe(true);

    await pressAt(page.getByRole('button', { name: 'New token' }));
    const dialog = page.getByRole('dialog', { name: 'New token' });
    await dialog.getByLabel('Name').fill('Of the member');
    const former = await readCookie(context);
    await signIn('admin');
    // What was typed is not for them.
    await dialog.waitFor({ state: 'hidden' });
    await page.getByText('You are an admin').waitFor();
    await page.getByRole('link', { name: 'Audit log' }).waitFor();
    expect(await page.evaluate('globalThis.isSamePage')).toBe(true);
    expect(await whoIs(world.gateway, { cookie: former })).toBeUndefined();
    expect(problems).toEqual([]);
  });

  test('loads its first page in at most ten requests and 280 kB', async () => {
    const visit = await world.signInAnew(world.gateway.tokens.member);
    onTestFinished(() => visit.context.close());
    const paths: string[] = [];
    const sizes: Promise<{ responseBodySize: number }>[] = [];
    visit.page.on('response', (response) => {
      paths.push(new URL(response.url()).pathname);
      sizes.push(response.request().sizes());
    });
    await visit.page.goto(world.origin);
    await row(visit.page, 'Open tools').waitFor();
    expect(paths.length).toBeLessThanOrEqual(9);
    const bytes = (await Promise.all(sizes)).reduce((sum, { responseBodySize }) => sum + responseBodySize, 0);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(280_000);
    expect(visit.problems).toEqual([]);
  });

  test('finds one of many servers while its name is typed', async () => {
    for (let n = 1; n <= 12; n += 1) await world.define({ slug: `many-${n}`, display_name: `Many ${n}` });
    const { page } = await enter();
    await row(page, 'Many 12').waitFor();
    await page.getByLabel('Find a server').fill('MANY 12');
    await page.getByText(/^1 of \d+ shown\.$/).waitFor();
    expect(await row(page, 'Many 1').count()).toBe(0);
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel('Find a server').fill('nothing has it');
    await page.getByText(/^None of \d+ shown\.$/).waitFor();
    await page.getByLabel('Find a server').fill('');
    await row(page, 'Many 1').waitFor();
  });
});
