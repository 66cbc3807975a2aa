import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { skipsBrowser } from '../setup/browser.ts';
import { ECHO } from '../setup/mcp-servers.ts';
import { findBarriers } from './console-barriers.ts';
import { pressAt } from './console-keyboard.ts';
import { type ConsoleWorld, useConsoleWorld } from './console-setup.ts';

describe.skipIf(skipsBrowser)('the console, in the rarer cases of an admin', () => {
  let world: ConsoleWorld;
  const { enter } = useConsoleWorld((opened) => {
    world = opened;
  });

  const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
  const item = (page: Page, name: string) =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) });
  const press = (page: Page, name: string) => pressAt(page.getByRole('button', { name, exact: true }));
  const confirm = (page: Page, name: string) =>
    pressAt(page.getByRole('alertdialog').getByRole('button', { name, exact: true }));
  const ask = async (query: string): Promise<any> => {
    const { data, errors } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
    expect(errors).toBeUndefined();
    return data;
  };
  const slugs = async (): Promise<string[]> =>
    (await ask('{ mcpServerConfigs(first: 100) { nodes { slug } } }')).mcpServerConfigs.nodes.map(
      ({ slug }: { slug: string }) => slug,
    );
  /** Gives the URL of a server that answers, and waits for the form. */
  const lookAt = async (page: Page): Promise<void> => {
    await page.getByLabel('URL of the MCP server').fill(world.open.url);
    await press(page, 'Look at it');
    await page.getByText('The server answers, and needs no sign-in.').waitFor();
  };

  test('a tool that changed since it was approved waits, with what changed, until it is approved again', async () => {
    const id = await world.define({ slug: 'pinned', display_name: 'Pinned' });
    const { page } = await enter(`/admin/servers/${id}?view=tools`, 'admin');
    await press(page, 'List them again');
    await row(page, 'echo').waitFor();
    await pressAt(page.getByLabel('By an admin'), 'Space');
    await press(page, 'Save the rules');
    await press(page, 'Approve: echo');
    await row(page, 'echo').getByText('May be used').waitFor();

    world.tools[0] = { ...ECHO, description: 'Says it twice.' };
    await press(page, 'List them again');
    await row(page, 'echo').getByText('Waits for approval').waitFor();
    await pressAt(row(page, 'echo').getByText('What changed since it was approved'));
    await row(page, 'echo').locator('del').filter({ hasText: 'again' }).waitFor();
    await row(page, 'echo').locator('ins').filter({ hasText: 'twice' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await press(page, 'Approve: echo');
    await row(page, 'echo').getByText('May be used').waitFor();
    const { mcpServerConfig } = await ask(
      `{ mcpServerConfig(by: { id: "${id}" }) { tools { nodes { name decision description } } } }`,
    );
    expect(mcpServerConfig.tools.nodes).toContainEqual({
      name: 'echo',
      decision: 'ALLOWED',
      description: 'Says it twice.',
    });
  });

  test('an import asks what it cannot know, does what was answered, and takes over the examples', async () => {
    await world.define({ slug: 'maps', display_name: 'Maps of the town' });
    const { page } = await enter('/admin/servers/new?by=file', 'admin');
    await page
      .getByLabel('The file')
      .fill(JSON.stringify({ mcpServers: { '地图 maps': { url: world.protectedUrl } } }));
    await press(page, 'See what it would do');
    const asked = item(page, '地图 maps, here: maps');
    await asked.getByText('Your answer is needed').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(asked.getByLabel('Another server'), 'Space');
    await press(page, 'Import');
    await item(page, '地图 maps, here: maps-2').getByText('Created').waitFor();
    expect(await slugs()).toEqual(expect.arrayContaining(['maps', 'maps-2']));

    await pressAt(page.getByRole('link', { name: 'From the examples' }));
    for (const name of ['DeepWiki', 'Svelte', 'Linear']) await pressAt(page.getByLabel(name, { exact: true }), 'Space');
    await press(page, 'See what it would do');
    for (const slug of ['deepwiki', 'svelte', 'linear']) await item(page, slug).getByText('Is created').waitFor();
    await press(page, 'Import');
    for (const slug of ['deepwiki', 'svelte']) {
      await item(page, slug).getByText('Created', { exact: true }).waitFor();
    }
    expect(await slugs()).toEqual(expect.arrayContaining(['deepwiki', 'svelte']));
    // Its sign-in is looked up when it is created, and nobody answers here. That costs the others nothing.
    await item(page, 'linear').getByText('Left out').waitFor();
    expect(await slugs()).not.toContain('linear');
    expect(await findBarriers(page)).toEqual([]);
  });

  test('who leaves with unsaved changes is asked, stays or leaves, and loses them only then', async () => {
    const id = await world.define({ slug: 'kept', display_name: 'Kept', description: 'As stored.' });
    const { page } = await enter(`/admin/servers/${id}`, 'admin');
    const field = page.getByLabel('What it is good for');
    await field.fill('Not saved.');
    await pressAt(page.getByRole('link', { name: 'History' }));
    await page.getByRole('alertdialog').getByText('Leave without saving?').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await confirm(page, 'Cancel');
    await page.getByRole('alertdialog').waitFor({ state: 'hidden' });
    expect(await field.inputValue()).toBe('Not saved.');
    // The dialog comes and goes with a movement, too.
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await pressAt(page.getByRole('link', { name: 'History' }));
    await confirm(page, 'Leave');
    await page.getByText('1 entry').waitFor();
    await pressAt(page.getByRole('link', { name: 'Settings' }));
    expect(await field.inputValue()).toBe('As stored.');
  });

  test('secret headers and a client registered by hand are stored, used and never shown again', async () => {
    const { page } = await enter('/admin/servers/new', 'admin');
    await lookAt(page);
    await page.getByLabel('Name', { exact: true }).fill('With headers');
    await page.getByLabel('Short name', { exact: true }).fill('with-headers');
    await pressAt(page.getByLabel('Custom headers'), 'Space');
    await page.getByLabel('Header 1', { exact: true }).fill('Host');
    await page.getByLabel('Value 1', { exact: true }).fill('canary-one');
    await press(page, 'Add the server');
    await page.locator('[aria-invalid="true"]').first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel('Header 1', { exact: true }).fill('X-Team');
    await press(page, 'Another header');
    await page.getByLabel('Header 2', { exact: true }).fill('X-Stage');
    await page.getByLabel('Value 2', { exact: true }).fill('canary-two');
    await press(page, 'Add the server');
    await page.getByRole('heading', { name: 'With headers', exact: true }).waitFor();
    expect(await page.getByLabel('Stored. Keep it').isChecked()).toBe(true);
    await press(page, 'Test it now');
    await page.getByRole('heading', { name: 'It lists its tools' }).waitFor();
    const sent = world.open.seen.at(-1)?.headers;
    expect([sent?.['x-team'], sent?.['x-stage']]).toEqual(['canary-one', 'canary-two']);
    expect(await page.content()).not.toContain('canary');

    await page.goto(`${world.origin}/admin/servers/new`);
    await lookAt(page);
    await page.getByLabel('Name', { exact: true }).fill('By hand');
    await page.getByLabel('Short name', { exact: true }).fill('by-hand');
    await pressAt(page.getByLabel('Each user’s account'), 'Space');
    await pressAt(page.getByText('A client that you registered yourself.'));
    await page.getByLabel('Client id', { exact: true }).fill('the-client');
    await page.getByLabel('Client secret', { exact: true }).fill('canary-three');
    await press(page, 'Add the server');
    // A client needs both of its URLs. The gateway says so at the fields.
    await page.locator('[aria-invalid="true"]').first().waitFor();
    await page.getByLabel('Authorization URL').fill('https://login.example.com/authorize');
    await page.getByLabel('Token URL').fill('https://login.example.com/token');
    await press(page, 'Add the server');
    await page.getByRole('heading', { name: 'By hand', exact: true }).waitFor();
    await page.getByRole('region', { name: 'Callback URL' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.content()).not.toContain('canary');
    const fields = 'authType oauth2ClientId hasOAuth2Secret';
    const { mcpServerConfig } = await ask(`{ mcpServerConfig(by: { slug: "by-hand" }) { ${fields} } }`);
    expect(mcpServerConfig).toEqual({ authType: 'OAUTH2', oauth2ClientId: 'the-client', hasOAuth2Secret: true });
  });

  test('an admin disconnects everybody from a server, after it is said who that is', async () => {
    const id = await world.define({ slug: 'shared', display_name: 'Shared', auth_type: 'oauth2' });
    const member = await enter('/', 'member');
    const popup = member.context.waitForEvent('page');
    await press(member.page, 'Connect: Shared');
    await popup;
    await member.page.getByRole('button', { name: 'Disconnect: Shared' }).waitFor();
    const { page } = await enter(`/admin/servers/${id}`, 'admin');
    await press(page, 'Disconnect everybody');
    await page.getByRole('alertdialog').getByText('1 user connected an account').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await confirm(page, 'Disconnect everybody');
    await page.getByText('1 user disconnected from Shared').first().waitFor();
    await page.getByText('0 users connected').waitFor();
    // There is nobody left to disconnect. The member's page knows it at once.
    expect(await page.getByRole('button', { name: 'Disconnect everybody' }).count()).toBe(0);
    await member.page.getByRole('button', { name: 'Connect: Shared' }).waitFor();
    const auditor = await enter(`/admin/servers/${id}`, 'auditor');
    await auditor.page.getByText('Only admins can change them.').waitFor();
    expect(await auditor.page.getByRole('button', { name: 'Disconnect everybody' }).count()).toBe(0);
  });

  test('a suspended user is out at once, and the last admin can be neither suspended, demoted nor deleted', async () => {
    const { gateway } = world;
    const member = await enter('/', 'member');
    await member.page.getByRole('heading', { name: 'My servers', level: 1 }).waitFor();
    const { page } = await enter(`/admin/people/${gateway.userIds.member}`, 'admin');
    await press(page, 'Suspend');
    await confirm(page, 'Suspend');
    await page.getByText('member@example.com is suspended').first().waitFor();
    await member.page.getByLabel('Token').waitFor();
    expect(member.page.url()).toContain('/auth/sign-in');
    // A browser notes what was refused on the way.
    member.problems.splice(0);
    await member.page.getByLabel('Token').fill(gateway.tokens.member);
    await press(member.page, 'Sign in');
    await member.page.getByRole('alert').filter({ hasText: 'or its user is suspended' }).waitFor();
    for (const problem of member.problems.splice(0)) expect(problem).toContain('status of 401');
    await press(page, 'Let them in again');
    await page.getByText('member@example.com can sign in again').first().waitFor();

    const others = (await ask('{ users(filter: { role: ADMIN }) { nodes { id } } }')).users.nodes;
    for (const { id } of others) {
      if (id === gateway.userIds.admin) continue;
      await page.goto(`${world.origin}/admin/people/${id}`);
      await press(page, 'Suspend');
      await confirm(page, 'Suspend');
      await page.getByText('is suspended').first().waitFor();
    }
    await page.goto(`${world.origin}/admin/people/${gateway.userIds.admin}`);
    for (const action of ['Suspend', 'Delete']) {
      await press(page, action);
      await confirm(page, action);
      await page.getByRole('alertdialog').getByText('active admin').waitFor();
      // The two differ in nothing but their words.
      if (action === 'Delete') expect(await findBarriers(page)).toEqual([]);
      await confirm(page, 'Cancel');
    }
    await press(page, 'Change the role');
    await page.getByLabel('Role', { exact: true }).selectOption('MEMBER');
    await pressAt(page.getByRole('dialog').getByRole('button', { name: 'Change' }));
    await page.getByRole('dialog').getByText('active admin').waitFor();
  });
});
