import { describe, expect, test } from 'vitest';
import { skipsBrowser, type Visit } from '../setup/browser.ts';
import { findBarriers } from './console-barriers.ts';
import { pressAt } from './console-keyboard.ts';
import { type ConsoleWorld, useConsoleWorld } from './console-setup.ts';

describe.skipIf(skipsBrowser)('the console, for an admin who adds servers', () => {
  let world: ConsoleWorld;
  const { enter: open } = useConsoleWorld((opened) => {
    world = opened;
  });

  const enter = (path: string, role: 'admin' | 'member' = 'admin'): Promise<Visit> => open(path, role);

  test('adds a server by its URL with the keyboard alone: discovery fills in the form, and a member sees it live', async () => {
    await world.define({ slug: 'open', display_name: 'Open tools' });
    const { page } = await enter('/admin/servers');
    const member = await enter('/', 'member');
    await member.page.getByRole('heading', { name: 'Open tools', exact: true }).waitFor();
    const press = async (...keys: string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await page.getByRole('link', { name: 'Add a server' }).focus();
    await press('Enter');
    const url = page.getByLabel('URL of the MCP server');
    await url.waitFor();
    await url.focus();
    await page.keyboard.type('not a URL');
    await press('Enter');
    await page.locator('[aria-invalid="true"]').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await press('ControlOrMeta+a');
    await page.keyboard.type(world.protectedUrl);
    await press('Enter');
    const found = page.getByRole('region', { name: 'What the gateway found' });
    await found.getByText('Each user signs in with their own account at').waitFor();
    await found.getByText('The gateway registers itself there').waitFor();
    await expect.poll(() => found.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    expect(await page.getByLabel('Each user’s account').isChecked()).toBe(true);
    expect(await page.getByLabel('URL', { exact: true }).inputValue()).toBe(world.protectedUrl);
    expect(await findBarriers(page)).toEqual([]);

    // Past the two details that were found, to the form.
    await press('Tab', 'Tab', 'Tab');
    await page.keyboard.type('By keyboard');
    await press('Tab');
    await page.keyboard.type('open');
    const turnOn = page.getByLabel('Turn it on at once');
    await turnOn.focus();
    await press('Space', 'Enter');
    // The short name is that of another server: the gateway says so at its field, which has the focus.
    await page.locator('[aria-invalid="true"]').waitFor();
    const slug = page.getByLabel('Short name', { exact: true });
    await expect.poll(() => slug.evaluate((input) => input === input.ownerDocument.activeElement)).toBe(true);
    await page.keyboard.type('-by-keyboard');
    await press('Enter');
    await page.getByRole('heading', { name: 'By keyboard', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Disable' }).waitFor();
    await member.page.getByRole('heading', { name: 'By keyboard', exact: true }).waitFor();
    await member.page.getByRole('button', { name: 'Connect: By keyboard' }).waitFor();
  });

  test('imports a file after it showed what that does, and asks for the secrets that are missing', async () => {
    const { page } = await enter('/admin/servers/new?by=file');
    const item = (name: string) =>
      page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) });
    const servers = {
      notes: { url: world.open.url },
      keyed: { url: world.open.url, headers: { 'X-Key': '${KEY}' } },
      local: { command: 'npx' },
    };
    await page.getByLabel('The file').fill(JSON.stringify({ mcpServers: servers }));
    await pressAt(page.getByRole('button', { name: 'See what it would do' }));
    await item('notes').getByText('Is created').waitFor();
    await item('keyed').getByText('Needs a secret').waitFor();
    await item('local').getByText('Cannot be imported').waitFor();
    await pressAt(page.getByText('All differences, field by field'));
    expect(await findBarriers(page)).toEqual([]);
    // It was a dry run.
    expect(await countServers('notes')).toBe(0);
    await item('keyed').getByLabel('KEY').fill('a secret');
    await pressAt(page.getByRole('button', { name: 'Import' }));
    await page.getByRole('heading', { name: 'What was done' }).waitFor();
    await item('notes').getByText('Created').waitFor();
    await item('keyed').getByText('Created').waitFor();
    expect(await countServers('notes')).toBe(1);

    await pressAt(page.getByRole('link', { name: 'From the examples' }));
    await pressAt(page.getByLabel('DeepWiki'), 'Space');
    await pressAt(page.getByRole('button', { name: 'See what it would do' }));
    await item('deepwiki').waitFor();
  });

  test('says in words why a server does not answer, and what to do', async () => {
    const id = await world.define({ slug: 'gone', display_name: 'Gone', url: 'http://127.0.0.1:1/mcp' });
    const { page } = await enter(`/admin/servers/${id}?view=tools`);
    await pressAt(page.getByRole('button', { name: 'List them again' }));
    const why = page.getByRole('status').filter({ hasText: 'It cannot be reached, or it closed the connection.' });
    await why.getByText('Check that the server runs').waitFor();
    await why.getByText('CONNECTION_FAILED').waitFor();
    await page.goto(`${world.origin}/admin/servers`);
    await page.getByRole('row', { name: 'Gone' }).getByText('It cannot be reached').waitFor();
    expect(await findBarriers(page)).toEqual([]);
  });

  const countServers = async (search: string): Promise<number> => {
    const { data } = await world.gateway.graphql(
      `{ mcpServerConfigs(filter: { search: ${JSON.stringify(search)} }) { totalCount } }`,
      { token: world.gateway.tokens.admin },
    );
    return data.mcpServerConfigs.totalCount;
  };
});
