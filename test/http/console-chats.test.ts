import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { skipsBrowser, type Visit } from '../setup/browser.ts';
import { findBarriers } from './console-barriers.ts';
import { hasFocus, pressAt, tabTo } from './console-keyboard.ts';
import { type ConsoleWorld, useConsoleWorld } from './console-setup.ts';

describe.skipIf(skipsBrowser)('the chats of the console', () => {
  let world: ConsoleWorld;
  const { enter: open, start } = useConsoleWorld((opened) => {
    world = opened;
  });
  let idOfOpen: string;
  beforeAll(async () => {
    idOfOpen = await world.define({ slug: 'open', display_name: 'Open tools' });
    await world.define({ slug: 'policy', display_name: 'Policy', availability: 'force_on' });
    await world.define({ slug: 'search', display_name: 'Search', availability: 'default_on' });
    await world.define({ slug: 'calendar', display_name: 'Calendar', auth_type: 'oauth2' });
  });

  const enter = (path: string): Promise<Visit> => open(path, 'member');
  /** Signs in with a token, as a person does it on the page for that. */
  const enterByToken = async (token: string): Promise<Visit> => {
    const visit = await start();
    await visit.page.goto(`${world.origin}/auth/sign-in`);
    await tabTo(visit.page, 'Token');
    await visit.page.keyboard.type(token);
    await visit.page.keyboard.press('Enter');
    await visit.page.getByRole('heading', { name: 'My servers' }).waitFor();
    return visit;
  };
  /** Follows a link or presses a button, once it is there, with the keyboard. */
  const go = async (page: Page, name: string, key?: 'Shift+Tab'): Promise<void> => {
    await tabTo(page, name, key);
    await page.keyboard.press('Enter');
  };
  const type = async (page: Page, text: string): Promise<void> => {
    await page.keyboard.press('Control+a');
    await page.keyboard.type(text);
  };
  const server = (page: Page, name: string) => page.getByRole('checkbox', { name, exact: true });
  /** The chosen servers, as they are stored. */
  const stored = async (page: Page): Promise<string[]> => {
    const query = 'query ($id: UUID!) { chat(id: $id) { mcpServers { config { displayName } } } }';
    const id = new URL(page.url()).pathname.split('/')[2];
    const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.member, variables: { id } });
    return data.chat.mcpServers.map(({ config }: { config: { displayName: string } }) => config.displayName);
  };

  test('are made, used, renamed and deleted with the keyboard alone', async () => {
    const { page } = await enter('/');
    await page.getByRole('heading', { name: 'Open tools', exact: true }).waitFor();
    await tabTo(page, 'Chats');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'No chats yet' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await tabTo(page, 'New chat');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Untitled chat' }).waitFor();

    // Forced servers are locked, those that are on by default are chosen, and others are not.
    await server(page, 'Policy').waitFor();
    expect(await server(page, 'Policy').isChecked()).toBe(true);
    expect(await server(page, 'Search').isChecked()).toBe(true);
    expect(await server(page, 'Open tools').isChecked()).toBe(false);
    expect(await findBarriers(page)).toEqual([]);
    await tabTo(page, 'Policy');
    await page.keyboard.press('Space');
    await tabTo(page, 'Search');
    await page.keyboard.press('Space');
    await tabTo(page, 'Open tools', 'Shift+Tab');
    await page.keyboard.press('Space');
    await page.getByRole('link', { name: 'Uses Open tools and Policy' }).waitFor();
    expect(await stored(page)).toEqual(['Open tools', 'Policy']);
    expect(await server(page, 'Policy').isChecked()).toBe(true);

    await tabTo(page, 'Message', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.locator('[aria-invalid="true"]').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.type('Which tools');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('are there?');
    await page.keyboard.press('Enter');
    await page.getByRole('listitem').filter({ hasText: 'Which tools\nare there?' }).waitFor();
    await expect.poll(() => page.getByLabel('Message', { exact: true }).inputValue()).toBe('');

    await tabTo(page, 'Rename: Untitled chat', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByLabel('Title', { exact: true }).waitFor();
    await page.getByLabel('Title', { exact: true }).press('Control+a');
    await page.keyboard.type('Tools');
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Tools', exact: true }).waitFor();
    await tabTo(page, 'Chats', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Tools', exact: true }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await tabTo(page, 'Delete: Tools');
    await page.keyboard.press('Enter');
    await pressAt(page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }));
    await page.getByRole('heading', { name: 'No chats yet' }).waitFor();
    // The button that had the focus is gone: the keyboard goes on from the beginning of the page.
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('content');
  });

  test('choose a server once it is connected from there, and say why another is missing', async () => {
    const { page, context } = await enter('/chats');
    await pressAt(page.getByRole('button', { name: 'New chat' }));
    await server(page, 'Calendar').waitFor();
    expect(await server(page, 'Calendar').isChecked()).toBe(false);
    await pressAt(page.getByRole('button', { name: 'Why? Calendar' }));
    const dialog = page.getByRole('dialog');
    await dialog.getByText('You can select it for the chat, or an admin can force it on.').first().waitFor();
    await dialog.getByText('You must connect your account first.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });

    const popup = context.waitForEvent('page');
    await pressAt(page.getByRole('button', { name: 'Connect: Calendar' }));
    await popup;
    await page.getByRole('link', { name: 'Uses Calendar, Policy and 1 more' }).waitFor();
    expect(await server(page, 'Calendar').isChecked()).toBe(true);
    expect(await stored(page)).toEqual(['Calendar', 'Policy', 'Search']);
    // The button that was pressed is gone, and the focus is still at the server.
    await expect.poll(() => hasFocus(server(page, 'Calendar'))).toBe(true);
  });

  test('show their newest messages first, and earlier ones when asked, without losing the place', async () => {
    const { token } = { token: world.gateway.tokens.member };
    const made = await world.gateway.graphql('mutation { createChat(input: { title: "Long" }) { chat { id } } }', {
      token,
    });
    const chatId = made.data.createChat.chat.id;
    const write = (from: number, to: number) => {
      const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index);
      const fields = numbers.map(
        (n) => `m${n}: createChatMessage(input: { chatId: "${chatId}", content: "Line ${n}." }) { chat { id } }`,
      );
      return world.gateway.graphql(`mutation { ${fields.join(' ')} }`, { token });
    };
    for (let from = 1; from <= 60; from += 10) expect((await write(from, from + 9)).errors).toBeUndefined();
    const { page } = await enter(`/chats/${chatId}`);
    const line = (n: number) => page.getByText(`Line ${n}.`, { exact: true });
    const isInView = (n: number) =>
      line(n).evaluate((element) => {
        const { top, bottom } = element.getBoundingClientRect();
        const box = element.closest('[role=log]')?.getBoundingClientRect();
        return box !== undefined && top >= box.top && bottom <= box.bottom;
      });
    await line(60).waitFor();
    await expect.poll(() => isInView(60)).toBe(true);
    expect(await line(10).count()).toBe(0);
    await page.getByLabel('Message', { exact: true }).fill('The newest.');
    await pressAt(page.getByLabel('Message', { exact: true }));
    await page.getByRole('listitem').filter({ hasText: 'The newest.' }).waitFor();
    // The page of the newest moved by one, and no message fell between the pages.
    await pressAt(page.getByRole('button', { name: 'Show earlier messages' }));
    await line(1).waitFor();
    const shown = await page.getByRole('log').getByRole('listitem').allTextContents();
    expect(shown.map((text) => /^Line (\d+)\./.exec(text)?.[1] ?? 'newest')).toEqual([
      ...Array.from({ length: 60 }, (_, index) => String(index + 1)),
      'newest',
    ]);
    expect(await page.getByRole('button', { name: 'Show earlier messages' }).count()).toBe(0);
    // What was at the top is still in view, and not the oldest.
    await expect.poll(() => isInView(12)).toBe(true);
    expect(await isInView(1)).toBe(false);
    expect(await findBarriers(page)).toEqual([]);
  });

  test('lose a chosen server at once when an admin turns it off, and have it again when it is back', async () => {
    const { page } = await enter('/chats');
    await pressAt(page.getByRole('button', { name: 'New chat' }));
    await pressAt(server(page, 'Open tools'), 'Space');
    await page.getByRole('link', { name: 'Uses Open tools, Policy and 1 more' }).waitFor();
    await world.change(idOfOpen, { enabled: false });
    const lost = page.getByRole('status').filter({ hasText: 'Open tools' });
    await lost.getByText('This chat cannot use it now.').waitFor();
    expect(await server(page, 'Open tools').count()).toBe(0);
    expect(await stored(page)).toEqual(['Policy', 'Search']);
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(lost.getByRole('button', { name: 'Why? Open tools' }));
    await page.getByRole('dialog').getByText('There is no such server, or you may not see it.').first().waitFor();
    await page.keyboard.press('Escape');
    // Who may not see a server does not learn its name.
    await page.reload();
    await page.getByText('A server that you chose').waitFor();
    expect(await page.getByText('Open tools').count()).toBe(0);
    await world.change(idOfOpen, { enabled: true });
    await server(page, 'Open tools').waitFor();
    expect(await server(page, 'Open tools').isChecked()).toBe(true);
    expect(await page.getByText('Not available').count()).toBe(0);
  });

  test('the whole way: an admin adds a server, a member connects it and chooses it, and is shut off', async () => {
    const admin = await enterByToken(world.gateway.tokens.admin);
    const member = await enterByToken(world.gateway.tokens.member);
    await member.page.getByRole('heading', { name: 'Policy', exact: true }).waitFor();

    // The admin gives a URL. The rest is discovered.
    await go(admin.page, 'Servers');
    await admin.page.getByRole('link', { name: 'Add a server' }).waitFor();
    await go(admin.page, 'Add a server');
    await admin.page.getByLabel('URL of the MCP server').waitFor();
    await tabTo(admin.page, 'URL of the MCP server');
    await admin.page.keyboard.type(world.protectedUrl);
    await admin.page.keyboard.press('Enter');
    await admin.page.getByText('Each user signs in with their own account at').waitFor();
    await tabTo(admin.page, 'Name');
    await type(admin.page, 'Issue tracker');
    await tabTo(admin.page, 'Short name');
    await type(admin.page, 'issues');
    await go(admin.page, 'Add the server');
    await admin.page.getByRole('heading', { name: 'Issue tracker', exact: true }).waitFor();
    expect(await member.page.getByText('Issue tracker').count()).toBe(0);
    await go(admin.page, 'Enable');

    // It appears for the member, who connects their account and starts a chat with it.
    await member.page.getByRole('heading', { name: 'Issue tracker', exact: true }).waitFor();
    const popup = member.context.waitForEvent('page');
    await go(member.page, 'Connect: Issue tracker');
    await popup;
    await member.page.getByRole('button', { name: 'Disconnect: Issue tracker' }).waitFor();
    await go(member.page, 'Chats', 'Shift+Tab');
    await go(member.page, 'New chat');
    await server(member.page, 'Issue tracker').waitFor();
    await tabTo(member.page, 'Issue tracker');
    await member.page.keyboard.press('Space');
    await member.page.getByRole('link', { name: 'Uses Issue tracker, Policy and 1 more' }).waitFor();
    await go(member.page, 'Why? Open tools');
    await member.page.getByRole('dialog').getByText('It is not selected for this chat.').first().waitFor();
    await member.page.keyboard.press('Escape');
    await member.page.getByRole('dialog').waitFor({ state: 'hidden' });

    // The kill switch.
    await go(admin.page, 'Disable');
    const dialog = admin.page.getByRole('alertdialog');
    await dialog.getByText('1 chat of 1 user').first().waitFor();
    await tabTo(admin.page, 'Disable');
    await admin.page.keyboard.press('Enter');
    await member.page.getByRole('status').filter({ hasText: 'Issue tracker' }).waitFor();
    expect(await server(member.page, 'Issue tracker').count()).toBe(0);
    expect(await stored(member.page)).not.toContain('Issue tracker');
  });
});
