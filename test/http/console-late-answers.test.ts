import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { skipsBrowser, type Visit } from '../setup/browser.ts';
import { findBarriers } from './console-barriers.ts';
import { failAnswers, holdAnswers } from './console-hold.ts';
import { pressAt } from './console-keyboard.ts';
import { type ConsoleWorld, useConsoleWorld } from './console-setup.ts';

describe.skipIf(skipsBrowser)('the console, while answers are late or fail', () => {
  let world: ConsoleWorld;
  const { enter: open } = useConsoleWorld((opened) => {
    world = opened;
  });

  const enter = (path: string, role: 'admin' | 'member' = 'admin'): Promise<Visit> => open(path, role);
  /** The visit has a profile of its own: a page's sockets cannot be let through again. */
  const enterWithoutSockets = async (role: 'admin' | 'member'): Promise<Visit> => {
    const visit = await world.signInAnew(world.gateway.tokens[role]);
    onTestFinished(() => visit.context.close());
    await visit.page.routeWebSocket('**/graphql', (socket) => socket.close());
    return visit;
  };
  const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
  const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const read = async (id: string) => {
    const query = `{ mcpServerConfig(id: "${id}") { displayName description version } }`;
    return (await world.gateway.graphql(query, { token: world.gateway.tokens.admin })).data.mcpServerConfig;
  };
  /** What came has been shown. */
  const settle = (page: Page): Promise<unknown> =>
    page.evaluate(
      'fetch("/healthz").then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))',
    );

  test('numbers old versions as they are, however often one goes on, and whatever is changed meanwhile', async () => {
    const id = await world.define({
      slug: 'versions',
      display_name: 'Versions',
      description: 'text 1',
      enabled: false,
    });
    for (let version = 2; version <= 53; version += 1) await world.change(id, { description: `text ${version}` });
    const { page } = await enter(`/admin/servers/${id}?view=history`);
    const restore = (version: number) => button(page, `Restore version ${version}`);
    await restore(52).waitFor();
    const held = await holdAnswers(page, 'ServerHistory');
    await pressAt(button(page, 'Next page'));
    await held.asked;
    await pressAt(button(page, 'Next page'));
    await held.release();
    // The first page has 50.
    await restore(3).waitFor();
    expect(await page.getByRole('button', { name: /^Restore/ }).count()).toBe(3);

    await pressAt(restore(2));
    const dialog = page.getByRole('alertdialog', { name: 'Restore version 2?' });
    await dialog.getByText('"text 53"').waitFor();
    await dialog.getByText('"text 2"').waitFor();
    // Somebody else makes a version: what restoring would change now is not known here any more.
    await world.change(id, { description: 'text 54' });
    await page.getByText('The server has a newer version than this list.').waitFor();
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.getByRole('button', { name: /^Restore/ }).count()).toBe(0);
    await row(page, 'Created it').getByRole('cell', { name: '1', exact: true }).waitFor();

    await pressAt(button(page, 'First page'));
    await restore(53).waitFor();
    await pressAt(button(page, 'Next page'));
    await pressAt(restore(2));
    await dialog.getByText('"text 54"').waitFor();
    await pressAt(dialog.getByRole('button', { name: 'Restore' }));
    await page.getByText('Versions is as it was at version 2').first().waitFor();
    expect(await read(id)).toMatchObject({ description: 'text 2', version: 55 });
  });

  test('numbers versions as they are where no change arrives by itself', async () => {
    const id = await world.define({ slug: 'silent', display_name: 'Silent', description: 'text 1', enabled: false });
    await world.change(id, { description: 'text 2' });
    const { page } = await enterWithoutSockets('admin');
    await page.goto(`${world.origin}/admin/servers/${id}?view=history`);
    await row(page, 'Changed it').getByRole('cell', { name: '2 (now)' }).waitFor();
    await world.change(id, { description: 'text 3' });
    // This tells the page the new version.
    await pressAt(page.getByRole('link', { name: 'Tools', exact: true }));
    await page.getByText('No tool is known yet').waitFor();
    await pressAt(page.getByRole('link', { name: 'History', exact: true }));
    await row(page, 'Created it').getByRole('cell', { name: '1 Restore' }).waitFor();
    await row(page, 'Changed it').getByRole('cell', { name: '3 (now)' }).waitFor();
    expect(await row(page, 'Changed it').count()).toBe(2);
  });

  test('keeps what is typed while settings are saved', async () => {
    const id = await world.define({ slug: 'typed', display_name: 'Typed', description: 'Before.', enabled: false });
    const { page } = await enter(`/admin/servers/${id}`);
    await field(page, 'Name').fill('Saved');
    const held = await holdAnswers(page, 'UpdateServer');
    await pressAt(button(page, 'Save'));
    await held.asked;
    await field(page, 'What it is good for').fill('Typed meanwhile.');
    await held.release();
    await page.getByText('The settings are saved').first().waitFor();
    expect(await field(page, 'What it is good for').inputValue()).toBe('Typed meanwhile.');
    expect(await read(id)).toMatchObject({ displayName: 'Saved', description: 'Before.' });
    await pressAt(button(page, 'Save'));
    await button(page, 'Discard changes').waitFor({ state: 'hidden' });
    expect(await read(id)).toMatchObject({ displayName: 'Saved', description: 'Typed meanwhile.' });
  });

  test('keeps a secret that is typed while another one is saved, and sends none that is not shown', async () => {
    const key = { auth_type: 'api_key', api_key_header: 'X-Key', api_key_value: 'stored' };
    const id = await world.define({ slug: 'keyed', display_name: 'Keyed', enabled: false, ...key });
    const { page } = await enter(`/admin/servers/${id}`);
    const secret = page.getByLabel('Its whole value, with the key: new value');
    await pressAt(page.getByLabel('Replace it'), 'Space');
    await secret.fill('second');
    const held = await holdAnswers(page, 'UpdateServer');
    await pressAt(button(page, 'Save'));
    await held.asked;
    await secret.fill('third');
    await held.release();
    await page.getByText('The settings are saved').first().waitFor();
    expect(await page.getByLabel('Replace it').isChecked()).toBe(true);
    expect(await secret.inputValue()).toBe('third');
    await pressAt(page.getByLabel('Stored. Keep it'), 'Space');
    await field(page, 'Name').fill('Renamed');
    // Nor does it come back with the choice between one's own changes and those of somebody else.
    await world.change(id, { availability: 'default_on' });
    await pressAt(button(page, 'Go on with my changes'));
    await button(page, 'Go on with my changes').waitFor({ state: 'hidden' });
    expect(await page.getByLabel('Stored. Keep it').isChecked()).toBe(true);
    await pressAt(button(page, 'Save'));
    await page.getByRole('heading', { name: 'Renamed', exact: true }).waitFor();
    const changes = `{ mcpServerConfigHistory(id: "${id}", first: 3) { nodes { changes { field } } } }`;
    const { data } = await world.gateway.graphql(changes, { token: world.gateway.tokens.admin });
    const fields = data.mcpServerConfigHistory.nodes.map((entry: any) =>
      entry.changes.map((change: any) => change.field),
    );
    expect(fields).toEqual([['displayName'], ['availability'], ['apiKeyValue']]);
  });

  test('shows the list after a server is deleted, though that is known before the answer', async () => {
    const id = await world.define({ slug: 'deleted', display_name: 'Deleted', enabled: false });
    const { page } = await enter(`/admin/servers/${id}`);
    const held = await holdAnswers(page, 'DeleteServer');
    await pressAt(button(page, 'Delete'));
    const dialog = page.getByRole('alertdialog');
    await dialog.getByRole('listitem').first().waitFor();
    await pressAt(dialog.getByRole('button', { name: 'Delete' }));
    await page.getByRole('heading', { name: 'There is no such server' }).waitFor();
    await held.release();
    await page.getByRole('heading', { name: 'Servers', exact: true }).waitFor();
  });

  test('keeps the rules that were saved until the server with them arrives', async () => {
    const id = await world.define({ slug: 'ruled', display_name: 'Ruled' });
    const { page } = await enter(`/admin/servers/${id}?view=tools`);
    await pressAt(button(page, 'List them again'));
    const rule = field(page, 'Rule for who');
    await rule.selectOption('Deny');
    const save = await holdAnswers(page, 'UpdateServer');
    await pressAt(button(page, 'Save the rules'));
    await save.asked;
    // The change itself comes before its answer: nobody else made it.
    await row(page, 'who').getByText('Denied').waitFor();
    expect(await page.getByText('Changed meanwhile').count()).toBe(0);
    await save.release();
    await page.getByText('The rules are saved').first().waitFor();

    await rule.selectOption('No rule');
    const held = await holdAnswers(page, 'ServerTools');
    await pressAt(button(page, 'Save the rules'));
    await button(page, 'Save the rules').waitFor({ state: 'hidden' });
    await held.asked;
    await settle(page);
    expect(await rule.inputValue()).toBe('none');
    await held.release();
    await row(page, 'who').getByText('May be used').waitFor();
    expect(await rule.inputValue()).toBe('none');
  });

  test('keeps what was given for an import that failed, and tries again', async () => {
    const { page, problems } = await enter('/admin/servers/new?by=file');
    const file = { mcpServers: { secretive: { url: world.open.url, headers: { 'X-Key': '${KEY}' } } } };
    await page.getByLabel('The file').fill(JSON.stringify(file));
    const first = await failAnswers(page, 'ImportServers', 'connection');
    await pressAt(button(page, 'See what it would do'));
    await page.getByText('The gateway cannot be reached.').waitFor();
    await first.end();
    await pressAt(button(page, 'Try again'));
    await page.getByLabel('KEY').fill('a secret');
    const second = await failAnswers(page, 'ImportServers', { status: 500, code: 'INTERNAL_SERVER_ERROR' });
    await pressAt(button(page, 'Import'));
    await page.getByText('Something failed.').waitFor();
    expect(await page.getByLabel('KEY').inputValue()).toBe('a secret');
    await second.end();
    // Who asks again for the same file has given the secret already.
    await pressAt(button(page, 'See what it would do'));
    await page.getByText('Is created').waitFor();
    await pressAt(button(page, 'Import'));
    await page.getByRole('heading', { name: 'What was done' }).waitFor();
    const query = '{ mcpServerConfig(slug: "secretive") { hasApiKey } }';
    const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
    expect(data.mcpServerConfig).toEqual({ hasApiKey: true });
    // It can be asked again after that, too.
    await pressAt(button(page, 'See what it would do'));
    await page.getByRole('heading', { name: 'What it would do' }).waitFor();
    for (const problem of problems.splice(0)) expect(problem).toMatch(/net::ERR_FAILED|status of 500/);
  });

  test('keeps a page with what was typed while the gateway fails for a moment', async () => {
    const id = await world.define({ slug: 'kept', display_name: 'Kept', enabled: false });
    const { page, problems } = await enter(`/admin/servers/${id}`);
    await field(page, 'What it is good for').fill('Typed.');
    const failing = await failAnswers(page, 'AdminServer', { status: 500, code: 'INTERNAL_SERVER_ERROR' });
    await world.change(id, { display_name: 'Renamed' });
    await expect.poll(() => failing.count()).toBeGreaterThan(1);
    expect(await field(page, 'What it is good for').inputValue()).toBe('Typed.');
    await failing.end();
    await page.getByText('admin@example.com changed this server').waitFor();
    expect(await field(page, 'What it is good for').inputValue()).toBe('Typed.');
    for (const problem of problems.splice(0)) expect(problem).toContain('status of 500');
  });

  test('leads nobody away from a page that they opened meanwhile', async () => {
    const { page } = await enter('/chats', 'member');
    const held = await holdAnswers(page, 'CreateChat');
    await pressAt(button(page, 'New chat'));
    await held.asked;
    await pressAt(page.getByRole('link', { name: 'My account' }));
    await page.getByText('This browser').waitFor();
    await held.release();
    await settle(page);
    expect(new URL(page.url()).pathname).toBe('/account');
  });

  test('shows a token that was made, though somebody tried to close the window by the way', async () => {
    const { page } = await enter('/account', 'member');
    await pressAt(button(page, 'New token'));
    const dialog = page.getByRole('dialog', { name: 'New token' });
    await dialog.getByLabel('Name').fill('Slow');
    const held = await holdAnswers(page, 'CreateMyToken');
    await pressAt(dialog.getByRole('button', { name: 'Create the token' }));
    await held.asked;
    await page.keyboard.press('Escape');
    await held.release();
    await dialog.getByText('it is shown only this once').waitFor();
    await page.keyboard.press('Escape');
    await settle(page);
    expect(await dialog.getByText(/^gth_/).count()).toBe(1);
    await pressAt(dialog.getByRole('button', { name: 'Done' }));
    await dialog.waitFor({ state: 'hidden' });
  });

  test('opens a page once the gateway can be reached again, and keeps the one before until then', async () => {
    const { context, page, problems } = await world.signInAnew(world.gateway.tokens.member);
    onTestFinished(() => context.close());
    await page.goto(world.origin);
    await page.getByRole('heading', { name: 'My servers' }).waitFor();
    world.proxy.refuse();
    await page.getByText('The connection to the gateway is interrupted.').waitFor();
    const asked = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/healthz'));
    await pressAt(page.getByRole('link', { name: 'Chats' }));
    await asked;
    expect(await page.getByRole('heading', { name: 'My servers' }).count()).toBe(1);
    world.proxy.pass();
    await page.getByRole('heading', { name: 'Chats', exact: true }).waitFor();
    expect(problems.length).toBeGreaterThan(0);
  });

  test('says that a page cannot be shown, and shows the rest', async () => {
    const { context, page, problems } = await world.signInAnew(world.gateway.tokens.member);
    onTestFinished(() => context.close());
    await page.goto(`${world.origin}/account`);
    await page.getByText('This browser').waitFor();
    const broken = { contentType: 'text/javascript', body: 'throw new Error("It is broken.")' };
    await page.route('**/assets/*.js', (route) => route.fulfill(broken));
    await pressAt(page.getByRole('link', { name: 'Chats' }));
    await page.getByText('This page could not be shown').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.unroute('**/assets/*.js');
    await pressAt(button(page, 'Try again'));
    await button(page, 'New chat').waitFor();
    expect(problems.join()).toContain('It is broken.');
  });

  test('adds to the choice of a chat what is chosen in two windows', async () => {
    for (const name of ['One', 'Two']) await world.define({ slug: `choice-${name.toLowerCase()}`, display_name: name });
    const { context, page } = await enter('/chats', 'member');
    await pressAt(button(page, 'New chat'));
    await page.getByRole('heading', { name: 'Untitled chat' }).waitFor();
    const other = await context.newPage();
    await other.goto(page.url());
    const server = (of: Page, name: string) => of.getByRole('checkbox', { name, exact: true });
    await server(other, 'Two').waitFor();
    await pressAt(server(page, 'One'), 'Space');
    await page.getByRole('link', { name: 'Uses One', exact: true }).waitFor();
    await pressAt(server(other, 'Two'), 'Space');
    await other.getByRole('link', { name: 'Uses One and Two' }).waitFor();
    expect(await server(other, 'One').isChecked()).toBe(true);
  });

  test('shows that an account is connected, though no change arrives by itself', async () => {
    await world.define({ slug: 'calendar', display_name: 'Calendar', auth_type: 'oauth2' });
    const { context, page, problems } = await enterWithoutSockets('member');
    await page.goto(world.origin);
    const calendar = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Calendar' }) });
    const popup = context.waitForEvent('page');
    await pressAt(calendar.getByRole('button', { name: 'Connect: Calendar' }));
    await popup;
    await calendar.getByText('Ready').waitFor();
    expect(await page.getByText('Not live').count()).toBe(1);
    const link = await world.gateway.graphql(
      'mutation ($userId: UUID!) { createSignInLink(input: { userId: $userId }) { url } }',
      { token: world.gateway.tokens.admin, variables: { userId: world.gateway.userIds.admin } },
    );
    const other = await context.newPage();
    await other.goto(link.data.createSignInLink.url);
    await other.close();
    // Somebody looks at the page. It is that of another user now.
    await page.evaluate('dispatchEvent(new Event("focus"))');
    await page.getByText('admin@example.com').waitFor();
    await calendar.getByText('Not connected').waitFor();
    expect(problems).toEqual([]);
  });
});
