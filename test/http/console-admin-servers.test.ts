import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { skipsBrowser, type Visit } from '../setup/browser.ts';
import { findSentDocument } from '../setup/sent-document.ts';
import { findBarriers } from './console-barriers.ts';
import { pressAt } from './console-keyboard.ts';
import { type ConsoleWorld, useConsoleWorld } from './console-setup.ts';

/** What only admins and auditors see, by the names in the graph. */
const ADMIN_FIELDS =
  /\b(?:url|transport|apiKeyHeader|oauth2\w+|oauthCallbackUrl|connectedUserCount|toolApproval|exposeResources|exposePrompts|updatedBy|mcpServerConfigImpact|mcpServerConfigHistory|auditLog|users|encryptionKeys|usage)\b/;

describe.skipIf(skipsBrowser)('the console, for an admin who manages servers', () => {
  let world: ConsoleWorld;
  const { enter: open, start } = useConsoleWorld((opened) => {
    world = opened;
  });

  const enter = (path: string, role: 'admin' | 'auditor' | 'member' = 'admin'): Promise<Visit> => open(path, role);
  const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

  test('lists the servers with their states live, and keeps the filters in the address', async () => {
    const { page } = await enter('/admin/servers');
    await page.getByRole('heading', { name: 'No servers yet' }).waitFor();
    await page.getByRole('link', { name: 'Pick from the examples' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);

    const id = await world.define({ slug: 'open', display_name: 'Open tools', enabled: false });
    await row(page, 'Open tools').getByText('Off', { exact: true }).waitFor();
    await world.define({ slug: 'calendar', display_name: 'Calendar', auth_type: 'oauth2' });
    await row(page, 'Calendar').getByText('On', { exact: true }).waitFor();
    expect(await findBarriers(page)).toEqual([]);

    await page.getByLabel('State').selectOption('Turned on');
    await pressAt(page.getByLabel('Search'));
    await page.getByText('1 server').waitFor();
    expect(new URL(page.url()).search).toBe('?state=on');
    await world.change(id, { enabled: true });
    await row(page, 'Open tools').waitFor();
    await page.getByLabel('Search').fill('calen');
    await pressAt(page.getByRole('button', { name: 'Apply' }));
    await page.getByText('1 server').waitFor();
    await page.reload();
    await row(page, 'Calendar').waitFor();
    expect(await page.getByLabel('Search').inputValue()).toBe('calen');
    expect(await row(page, 'Open tools').count()).toBe(0);
    await page.goBack();
    await row(page, 'Open tools').waitFor();
    expect(await page.getByLabel('Search').inputValue()).toBe('');
    await page.getByLabel('Search').fill('nothing');
    await pressAt(page.getByLabel('Search'));
    await pressAt(page.getByRole('button', { name: 'Show all servers' }));
    await row(page, 'Open tools').waitFor();
  });

  test('never asks for the fields of admins in the browser of a member', async () => {
    const visit = await start('member');
    const asked: string[] = [];
    visit.page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/graphql') asked.push(findSentDocument(request));
    });
    await visit.page.goto(`${world.origin}/admin/servers`);
    await visit.page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    expect(await visit.page.getByRole('link', { name: 'Servers', exact: true }).count()).toBe(0);
    await pressAt(visit.page.getByRole('link', { name: 'My servers' }).first());
    await visit.page.getByRole('heading', { name: 'Open tools', exact: true }).waitFor();
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.filter((body) => ADMIN_FIELDS.test(body))).toEqual([]);
  });

  test('shows the present state, if a change overtakes an answer that is on its way', async () => {
    const id = await world.define({ slug: 'late', display_name: 'Late', description: 'Before.', enabled: false });
    const visit = await start('admin');
    const { page } = visit;
    let onEvent = (): void => {};
    const hasArrived = new Promise<void>((resolve) => {
      onEvent = resolve;
    });
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        if (String(payload).includes('After.')) onEvent();
      });
    });
    let isHeld = false;
    await page.route('**/graphql', async (route) => {
      if (isHeld || !findSentDocument(route.request()).includes('query AdminServer(')) return route.fallback();
      isHeld = true;
      const old = await route.fetch();
      await world.change(id, { description: 'After.' });
      await hasArrived;
      await route.fulfill({ response: old });
    });
    await page.goto(`${world.origin}/admin/servers/${id}`);
    await page.getByLabel('What it is good for').waitFor();
    await expect.poll(() => page.getByLabel('What it is good for').inputValue()).toBe('After.');
  });

  test('saves only what was edited, and lets the admin choose where somebody else changed the same', async () => {
    const id = await world.define({ slug: 'wiki', display_name: 'Wiki', description: 'Pages.', enabled: false });
    const { page } = await enter(`/admin/servers/${id}`);
    const field = (name: string) => page.getByLabel(name, { exact: true });
    // What others change comes in by itself as long as nothing is edited.
    await world.change(id, { description: 'Pages and notes.' });
    await expect.poll(() => field('What it is good for').inputValue()).toBe('Pages and notes.');

    await field('Short name').fill('Not a slug');
    await pressAt(page.getByRole('button', { name: 'Save' }));
    await page.locator('[aria-invalid="true"]').waitFor();
    await expect
      .poll(() => field('Short name').evaluate((input) => input === input.ownerDocument.activeElement))
      .toBe(true);
    expect(await findBarriers(page)).toEqual([]);
    await field('Short name').fill('wiki');

    await field('Name').fill('My wiki');
    await field('What it is good for').fill('My text.');
    await world.change(id, { display_name: 'Their wiki', description: 'Their text.', availability: 'default_on' });
    await page.getByText('admin@example.com changed this server').waitFor();
    await page.getByText('Availability is now “DEFAULT_ON”.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(page.getByRole('group', { name: 'Name: it was “Wiki”' }).getByLabel('Theirs: “Their wiki”'), 'Space');
    await pressAt(page.getByRole('group', { name: 'What it is good for' }).getByLabel('Mine: “My text.”'), 'Space');
    await pressAt(page.getByRole('button', { name: 'Go on with these choices' }));
    expect(await field('Name').inputValue()).toBe('Their wiki');
    expect(await field('What it is good for').inputValue()).toBe('My text.');
    expect(await field('On by default').isChecked()).toBe(true);

    await pressAt(page.getByRole('link', { name: 'History' }));
    const guard = page.getByRole('alertdialog', { name: 'Leave without saving?' });
    await pressAt(guard.getByRole('button', { name: 'Cancel' }));
    await pressAt(page.getByRole('button', { name: 'Save' }));
    await page.getByText('The settings are saved').first().waitFor();
    const { data } = await world.gateway.graphql(
      `{ mcpServerConfigHistory(id: "${id}", first: 1) { nodes { changes { field } } } }`,
      { token: world.gateway.tokens.admin },
    );
    expect(data.mcpServerConfigHistory.nodes[0].changes).toEqual([{ field: 'description' }]);
  });

  test('keeps, replaces or clears a secret, and shows the problems of the gateway at it', async () => {
    const key = { auth_type: 'api_key', api_key_header: 'X-Key', api_key_value: 'first-secret' };
    const id = await world.define({ slug: 'locked', display_name: 'Locked', enabled: false, ...key });
    const visit = await start('admin');
    const { page } = visit;
    const answers: Promise<string>[] = [];
    page.on('response', (response) => {
      // Those that are still on their way when the test ends have no text.
      if (new URL(response.url()).pathname === '/graphql') answers.push(response.text().catch(() => ''));
    });
    await page.goto(`${world.origin}/admin/servers/${id}`);
    await pressAt(page.getByLabel('Clear it'), 'Space');
    await pressAt(page.getByRole('button', { name: 'Save' }));
    await page.locator('[aria-invalid="true"]').first().waitFor();
    await pressAt(page.getByLabel('Replace it'), 'Space');
    await pressAt(page.getByRole('button', { name: 'Save' }));
    await page.getByText('Give the new value, or keep the stored one.').waitFor();
    await page.getByLabel('Its whole value, with the key: new value').fill('second-secret');
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(page.getByRole('button', { name: 'Save' }));
    await page.getByText('The settings are saved').first().waitFor();
    expect(await page.getByLabel('Stored. Keep it').isChecked()).toBe(true);
    const { data } = await world.gateway.graphql(
      `{ mcpServerConfigHistory(id: "${id}", first: 1) { nodes { changes { field isSecret } } } }`,
      { token: world.gateway.tokens.admin },
    );
    expect(data.mcpServerConfigHistory.nodes[0].changes).toEqual([{ field: 'apiKeyValue', isSecret: true }]);
    const told = (await Promise.all(answers)).join();
    expect(told).toContain('Locked');
    expect(told).not.toMatch(/(?:first|second)-secret/);
    expect(await page.content()).not.toMatch(/(?:first|second)-secret/);
  });

  test('sends no headers that were typed before another sign-in was chosen', async () => {
    const settings = { slug: 'no-headers', display_name: 'No headers', url: world.protectedUrl, enabled: false };
    const id = await world.define(settings);
    const { page } = await enter(`/admin/servers/${id}`);
    await pressAt(page.getByLabel('Custom headers', { exact: true }), 'Space');
    await page.getByLabel('Header 1').fill('X-Key');
    await page.getByLabel('Value 1').fill('not-a-secret-of-this-server');
    await pressAt(page.getByLabel('Each user’s account', { exact: true }), 'Space');
    await page.getByLabel('Header 1').waitFor({ state: 'hidden' });
    await pressAt(page.getByRole('button', { name: 'Save' }));
    await page.getByText('The settings are saved').first().waitFor();
    const { data } = await world.gateway.graphql(`{ mcpServerConfig(id: "${id}") { authType hasCustomHeaders } }`, {
      token: world.gateway.tokens.admin,
    });
    expect(data.mcpServerConfig).toEqual({ authType: 'OAUTH2', hasCustomHeaders: false });
  });

  test('shows what disabling does before it is done, and restores an earlier version', async () => {
    const id = await world.define({ slug: 'files', display_name: 'Files', description: 'First.' });
    await world.change(id, { description: 'Second.' });
    const { page } = await enter(`/admin/servers/${id}`);
    await pressAt(page.getByRole('button', { name: 'Disable' }));
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('0 chats of 0 users selected it').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(dialog.getByRole('button', { name: 'Disable' }));
    await page.getByRole('button', { name: 'Enable' }).waitFor();

    await pressAt(page.getByRole('link', { name: 'History' }));
    await pressAt(page.getByRole('button', { name: 'Restore version 1' }));
    await dialog.getByText('"First."').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(dialog.getByRole('button', { name: 'Restore' }));
    await page.getByText('Restored version 1.').waitFor();
    await row(page, 'Restored version 1.').getByText('4 (now)').waitFor();
    await pressAt(page.getByRole('link', { name: 'Settings' }));
    expect(await page.getByLabel('What it is good for').inputValue()).toBe('First.');
    // It was turned off since, and stays so.
    await page.getByRole('button', { name: 'Enable' }).waitFor();
    await pressAt(page.getByRole('button', { name: 'Delete' }));
    await dialog.getByRole('listitem').first().waitFor();
    await pressAt(dialog.getByRole('button', { name: 'Delete' }));
    await page.getByText('Files is deleted').first().waitFor();
    await row(page, 'Open tools').waitFor();
  });

  test('tests a server, and gives each of its tools a rule', async () => {
    const id = await world.define({ slug: 'echo', display_name: 'Echo' });
    const { page } = await enter(`/admin/servers/${id}`);
    await pressAt(page.getByRole('button', { name: 'Test it now' }));
    await page.getByRole('heading', { name: 'It lists its tools' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(page.getByRole('link', { name: 'Tools' }));
    await pressAt(page.getByRole('button', { name: 'List them again' }));
    await page.getByLabel('Rule for who').selectOption('Deny');
    await pressAt(page.getByRole('button', { name: 'Save the rules' }));
    await row(page, 'who').getByText('Denied').waitFor();
    await row(page, 'echo').getByText('May be used').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    const call = `mutation { callMcpTool(input: { configId: "${id}", tool: "who" }) { result { code } } }`;
    await world.gateway.graphql(call, { token: world.gateway.tokens.admin });
    await page.goto(`${world.origin}/admin/servers/${id}`);
    expect(await row(page, 'Last day').innerText()).toMatch(/^Last day\s+0\s+0\s+1\s+0\s+–\s+–$/);
    await pressAt(page.getByRole('link', { name: 'Tools' }));
    await pressAt(page.getByLabel('By an admin'), 'Space');
    await pressAt(page.getByRole('checkbox', { name: 'Prompts' }), 'Space');
    await pressAt(page.getByRole('button', { name: 'Save the rules' }));
    await pressAt(page.getByRole('button', { name: 'Approve: echo' }));
    await row(page, 'echo').getByText('May be used').waitFor();
    await page.reload();
    await page.getByRole('checkbox', { name: 'Prompts' }).waitFor();
    const isChecked = (name: string) => page.getByRole('checkbox', { name }).isChecked();
    expect([await isChecked('Resources'), await isChecked('Prompts')]).toEqual([false, true]);
  });

  test('offers an auditor everything to read, and nothing to change', async () => {
    const id = await world.define({ slug: 'seen', display_name: 'Seen' });
    const { page } = await enter(`/admin/servers/${id}`, 'auditor');
    await page.getByText('Only admins can change them.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    for (const name of ['Tools', 'History']) {
      await pressAt(page.getByRole('link', { name, exact: true }));
      await page.getByRole('heading', { name, exact: true }).waitFor();
    }
    await page.getByText('1 entry').waitFor();
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
  });
});
