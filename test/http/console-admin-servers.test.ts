// On the embedded database: it shows pages.

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { skipsBrowser, type Visit } from '../setup/browser.ts';
import { type ConsoleWorld, findBarriers, openConsoleWorld } from './console-setup.ts';

/** What only admins and auditors see, by the names in the graph. */
const ADMIN_FIELDS =
  /\b(?:url|transport|apiKeyHeader|oauth2\w+|oauthCallbackUrl|connectedUserCount|toolApproval|updatedBy|mcpServerConfigImpact|mcpServerConfigHistory|auditLog|users|encryptionKeys)\b/;

describe.skipIf(skipsBrowser)('the console, for an admin who manages servers', () => {
  let world: ConsoleWorld;
  const visits: Visit[] = [];

  beforeAll(async () => {
    world = await openConsoleWorld();
  });
  afterEach(async () => {
    const all = visits.splice(0);
    for (const { context } of all) await context.close();
    expect(all.flatMap(({ problems }) => problems)).toEqual([]);
  });
  afterAll(() => world?.close());

  const enter = async (path: string, role: 'admin' | 'auditor' | 'member' = 'admin'): Promise<Visit> => {
    const visit = await world.signIn(world.gateway.tokens[role]);
    visits.push(visit);
    await visit.page.goto(`${world.origin}${path}`);
    return visit;
  };
  const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

  test('lists the servers with their states live, and keeps the filters in the address', async () => {
    const { page } = await enter('/admin/servers');
    await page.getByRole('heading', { name: 'No servers yet' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);

    const id = await world.define({ slug: 'open', display_name: 'Open tools', enabled: false });
    await row(page, 'Open tools').getByText('Off', { exact: true }).waitFor();
    await world.define({ slug: 'calendar', display_name: 'Calendar', auth_type: 'oauth2' });
    await row(page, 'Calendar').getByText('On', { exact: true }).waitFor();
    expect(await findBarriers(page)).toEqual([]);

    await page.getByLabel('State').selectOption('Turned on');
    await page.getByLabel('Search').press('Enter');
    await page.getByText('1 server').waitFor();
    expect(new URL(page.url()).search).toBe('?state=on');
    await world.change(id, { enabled: true });
    await row(page, 'Open tools').waitFor();
    await page.getByLabel('Search').fill('calen');
    await page.getByRole('button', { name: 'Apply' }).press('Enter');
    await page.getByText('1 server').waitFor();
    await page.reload();
    await row(page, 'Calendar').waitFor();
    expect(await page.getByLabel('Search').inputValue()).toBe('calen');
    expect(await row(page, 'Open tools').count()).toBe(0);
    await page.goBack();
    await row(page, 'Open tools').waitFor();
    expect(await page.getByLabel('Search').inputValue()).toBe('');
    await page.getByLabel('Search').fill('nothing');
    await page.getByLabel('Search').press('Enter');
    await page.getByRole('button', { name: 'Show all servers' }).press('Enter');
    await row(page, 'Open tools').waitFor();
  });

  test('never asks for the fields of admins in the browser of a member', async () => {
    const visit = await world.signIn(world.gateway.tokens.member);
    visits.push(visit);
    const asked: string[] = [];
    visit.page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/graphql') asked.push(request.postData() ?? '');
    });
    await visit.page.goto(`${world.origin}/admin/servers`);
    await visit.page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    expect(await visit.page.getByRole('link', { name: 'Servers', exact: true }).count()).toBe(0);
    await visit.page.getByRole('link', { name: 'My servers' }).first().press('Enter');
    await visit.page.getByRole('heading', { name: 'Open tools' }).waitFor();
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.filter((body) => ADMIN_FIELDS.test(body))).toEqual([]);
  });
});
