import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { skipsBrowser } from '../setup/browser.ts';
import { findBarriers } from './console-barriers.ts';
import { pressAt } from './console-keyboard.ts';
import { type ConsoleWorld, useConsoleWorld } from './console-setup.ts';

describe.skipIf(skipsBrowser)('the console, for an admin who manages people and keys', () => {
  let world: ConsoleWorld;
  const { enter: open } = useConsoleWorld((opened) => {
    world = opened;
  });

  const enter = async (path: string, role: 'admin' | 'auditor' | 'member' = 'admin'): Promise<Page> =>
    (await open(path, role)).page;
  const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });
  const press = (page: Page, name: string | RegExp) => pressAt(page.getByRole('button', { name }));
  const whoIs = async (token: string) => (await world.gateway.graphql('{ viewer { email } }', { token })).status;

  test('finds, adds, changes, suspends and deletes people, with the keyboard', async () => {
    const page = await enter('/admin/people');
    await row(page, 'auditor@example.com').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel('Role').selectOption('Member');
    await page.getByLabel('Search').fill('suspended@');
    await pressAt(page.getByLabel('Search'));
    await page.getByText('1 person').waitFor();
    expect(new URL(page.url()).search).toBe('?q=suspended%40&role=MEMBER');
    await row(page, 'suspended@example.com').getByText('Suspended', { exact: true }).waitFor();

    await press(page, 'Add a person');
    await page.getByLabel('Email address').fill('not an address');
    await pressAt(page.getByRole('dialog').getByRole('button', { name: 'Add' }));
    await page.getByLabel('Email address').and(page.locator('[aria-invalid=true]')).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel('Email address').fill('ada@example.com');
    await pressAt(page.getByLabel('Email address'));
    await page.getByRole('heading', { name: 'ada@example.com', level: 1 }).waitFor();
    expect(await findBarriers(page)).toEqual([]);

    await press(page, 'Make a sign-in link');
    const link = (await page.getByRole('region', { name: 'Link' }).textContent()) ?? '';
    expect(link).toMatch(/\/auth\/sign-in\?token=/);
    await press(page, 'Done');
    const hers = (await world.gateway.fetch(new URL(link).pathname + new URL(link).search)).headers.get('set-cookie');
    expect(hers).toContain('gatehouse_session=');
    const asAda = () =>
      world.gateway.fetch('/graphql', {
        method: 'POST',
        headers: {
          cookie: hers?.split(';')[0] ?? '',
          'content-type': 'application/json',
          origin: world.origin,
        },
        body: '{"query":"{ viewer { role } }"}',
      });
    expect(await (await asAda()).json()).toEqual({ data: { viewer: { role: 'MEMBER' } } });

    await press(page, 'Change the role');
    await page.getByLabel('Role', { exact: true }).selectOption('AUDITOR');
    await pressAt(page.getByRole('dialog').getByRole('button', { name: 'Change' }));
    await page.getByText('ada@example.com is now auditor').waitFor();
    expect(await (await asAda()).json()).toEqual({ data: { viewer: { role: 'AUDITOR' } } });

    await press(page, 'Suspend');
    await pressAt(page.getByRole('alertdialog').getByRole('button', { name: 'Suspend' }));
    await page.getByText('ada@example.com is suspended').waitFor();
    expect((await asAda()).status).toBe(401);
    await press(page, 'Let them in again');
    await page.getByText('ada@example.com can sign in again').waitFor();
    await press(page, 'Delete');
    await pressAt(page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }));
    await page.getByText('ada@example.com is deleted').waitFor();
    await row(page, 'auditor@example.com').waitFor();
    expect(await row(page, 'ada@example.com').count()).toBe(0);
  });

  test('shows and ends what a user is signed in with, and what they see', async () => {
    const { gateway } = world;
    const made = await gateway.graphql('mutation { createApiToken(input: { name: "laptop" }) { token } }', {
      token: gateway.tokens.member,
    });
    const { token } = made.data.createApiToken;
    expect(await whoIs(token)).toBe(200);
    await world.define({ slug: 'calendar', display_name: 'Calendar', auth_type: 'oauth2' });
    const { page: member, context, problems } = await open('/', 'member');
    const calendar = member.getByRole('listitem').filter({ hasText: 'Calendar' });
    const popup = context.waitForEvent('page');
    await pressAt(calendar.getByRole('button', { name: 'Connect: Calendar' }));
    await popup;
    await calendar.getByText('Ready').waitFor();

    const page = await enter(`/admin/people/${gateway.userIds.member}`);
    await pressAt(page.getByRole('button', { name: 'Revoke: laptop' }));
    await pressAt(page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }));
    await row(page, 'laptop').getByText('Revoked').waitFor();
    expect(await whoIs(token)).toBe(401);

    await page.getByLabel('Server').selectOption('Calendar');
    await page.getByRole('heading', { name: 'Their account is connected' }).waitFor();
    await row(page, 'Calendar').getByText('Ready').waitFor();
    await press(page, 'Disconnect: Calendar');
    await page.getByRole('alertdialog').getByText('They can connect their account again.').waitFor();
    await pressAt(page.getByRole('alertdialog').getByRole('button', { name: 'Disconnect' }));
    await page.getByRole('heading', { name: 'No connection' }).waitFor();
    await calendar.getByText('Not connected').waitFor();
    expect(await findBarriers(page)).toEqual([]);

    await pressAt(page.getByRole('button', { name: 'Sign it out' }));
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    // Their open page knows it at once. The browser notes what was refused.
    await member.getByLabel('Token').waitFor();
    expect(member.url()).toContain('/auth/sign-in');
    // What is refused can be noted later than the page is left. After this, nothing is.
    await context.close();
    problems.splice(0);
  });

  test('rotates the keys with its progress, checks all secrets, and revokes the old key', async () => {
    await world.define({
      slug: 'sealed',
      display_name: 'Sealed',
      auth_type: 'api_key',
      api_key_header: 'x-key',
      api_key_value: 'canary-of-the-console',
    });
    const page = await enter('/admin/keys');
    await row(page, 'Key 1').getByText('Seals new secrets').waitFor();
    await press(page, 'Make a new key');
    await row(page, 'Key 2').getByText('Seals new secrets').waitFor();
    await press(page, 'Move all secrets to the active key');
    await page.getByText('Every secret is sealed with the active key').waitFor();
    await press(page, 'Check all secrets');
    await page.getByText(/^All \d+ secrets open$/).waitFor();
    await press(page, 'Revoke key 1');
    await pressAt(page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }));
    await row(page, 'Key 1').getByText('Revoked', { exact: true }).waitFor();
    expect(await page.content()).not.toContain('canary-of-the-console');
    expect(await findBarriers(page)).toEqual([]);
  });

  test('shows the audit log with filters in the address, and checks it', async () => {
    await world.gateway.graphql('mutation { verifyEncryptedValues { verification { checked } } }', {
      token: world.gateway.tokens.member,
    });
    // In a profile of its own, whose clock it moves.
    const { context, page, problems } = await world.signInAnew(world.gateway.tokens.admin);
    onTestFinished(() => context.close());
    await page.clock.install();
    await page.goto(`${world.origin}/admin`);
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await page.getByText('changes still to be read').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    const refusals = page.getByRole('listitem').filter({ hasText: 'refusals since yesterday' });
    await pressAt(refusals.getByRole('link'));
    await row(page, 'Access refused').first().waitFor();
    expect(new URL(page.url()).searchParams.get('outcome')).toBe('DENIED');
    expect(await findBarriers(page)).toEqual([]);
    await pressAt(row(page, 'member@example.com').first().getByRole('link', { name: 'member@example.com' }));
    await pressAt(page.getByRole('link', { name: 'What they did' }));
    await row(page, 'Token created').first().waitFor();
    await world.gateway.graphql('mutation { createApiToken(input: { name: "seen live" }) { token } }', {
      token: world.gateway.tokens.member,
    });
    // The page looks every five seconds.
    await page.clock.fastForward(5_000);
    await row(page, 'seen live').waitFor();
    await press(page, 'Check that nothing was altered');
    await page.getByText(/entries, none altered/).waitFor();
    expect(problems).toEqual([]);
  });

  test('an auditor sees all of it, and is offered no change; a member sees none of it', async () => {
    const page = await enter('/admin/people', 'auditor');
    await pressAt(row(page, 'member@example.com').getByRole('link'));
    await page.getByRole('heading', { name: 'member@example.com', level: 1 }).waitFor();
    const changes = page.getByRole('button', {
      name: /Suspend|Delete|Revoke|Disconnect|Sign it out|Change the role|sign-in link/,
    });
    expect(await changes.count()).toBe(0);
    await page.goto(`${world.origin}/admin/keys`);
    await row(page, 'Key 1').waitFor();
    expect(await page.getByRole('button', { name: /Make|Move|Check|Revoke/ }).count()).toBe(0);

    const member = await enter('/admin', 'member');
    for (const path of [
      '/admin',
      '/admin/people',
      `/admin/people/${world.gateway.userIds.admin}`,
      '/admin/keys',
      '/admin/audit',
    ]) {
      await member.goto(`${world.origin}${path}`);
      await member.getByRole('heading', { name: 'There is no such page' }).waitFor();
    }
    expect(await member.getByRole('link', { name: /People|Keys|Audit|Overview/ }).count()).toBe(0);
  });
});
