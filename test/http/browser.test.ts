import { Hono } from 'hono';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpEnv } from '../../src/http/context.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { EXAMPLES } from '../../src/http/playground/examples.ts';
import { skipsBrowser, useBrowser, type Visit } from '../setup/browser.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createProfiles, type Profiles } from '../setup/profiles.ts';

const QUERY = '.graphiql-query-editor';
const VARIABLES = '[aria-label="Variables"]';
const RESPONSE = '.graphiql-response';

/** An example of each kind. That all of them work, playground-examples.test.ts shows. */
const RUN = ['CreateOpenServer', 'DisableServer', 'FollowChanges', 'ListServers'];

describe.skipIf(skipsBrowser)('with a real browser', () => {
  let server: RunningServer;
  let gateway: TestGateway;
  let profiles: Profiles;
  let origin: string;
  let visit: Visit;

  beforeAll(async () => {
    // The port is part of the public URL, so it must be known before the gateway is created.
    const door = new Hono<HttpEnv>();
    door.all('*', (c) => gateway.fetch(c.req.url.slice(new URL(c.req.url).origin.length), c.req.raw));
    server = await listen(door, { host: '127.0.0.1', port: 0 });
    origin = `http://localhost:${server.port}`;
    gateway = await createTestGateway({ env: { GATEHOUSE_PUBLIC_URL: origin } });
    profiles = createProfiles(await useBrowser(), origin);
  });
  afterAll(async () => {
    await profiles?.close();
    await server?.close(0);
    await gateway?.close();
  });

  beforeEach(async () => {
    visit = await profiles.open();
  });
  afterEach(() => profiles.end());

  const change = (id: string) =>
    gateway.graphql(`mutation { updateMcpServerConfig(id: "${id}", patch: { description: "Followed." }) { id } }`, {
      token: gateway.tokens.admin,
    });

  test('an admin opens the sign-in link, runs examples in the playground and signs out', async () => {
    const { page, context, problems, foreignRequests } = visit;
    await page.goto(`${await gateway.createSignInUrl()}&return_to=/graphql`);
    await waitForPlayground(page, 'Signed in as admin@gatehouse.localhost (ADMIN)');
    expect(page.url()).toBe(`${origin}/graphql`);

    expect((await run(page, 'WhoAmI')).data.viewer.role).toBe('ADMIN');
    const ids: Record<string, string> = { userId: gateway.userIds.member };
    for (const name of RUN) {
      const { query = '', variables = {} } = EXAMPLES.find((example) => readName(example.query) === name) ?? {};
      await openTab(page, name);
      const { input } = variables as { input?: Record<string, unknown> };
      if (input !== undefined && 'id' in input) {
        const real = Object.entries(input).map(([field, value]) => [field, ids[field] ?? value]);
        await paste(page, VARIABLES, JSON.stringify({ ...variables, input: Object.fromEntries(real) }));
      }
      if (query.includes('\nsubscription ')) {
        await follow(page, () => change(String(ids['id'])));
        continue;
      }
      const { data, errors } = await run(page, name);
      expect(errors, name).toBeUndefined();
      if (name === 'CreateOpenServer') ids['id'] = data.createMcpServerConfig.mcpServerConfig.id;
    }
    await editorText(page, RESPONSE, '"deepwiki"').waitFor();

    await page.locator('#sign-out').click();
    await page.locator('#token').waitFor();
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
    expect(problems).toEqual([]);
    expect(foreignRequests).toEqual([]);
  });

  test('the editor knows the schema, and its content stays out of the address and survives a reload', async () => {
    const { page, problems, foreignRequests } = visit;
    await page.goto(`${await gateway.createSignInUrl()}&return_to=/graphql`);
    await waitForPlayground(page, 'ADMIN');
    expect(await readTitles(page)).toEqual(EXAMPLES.map(({ query }) => readName(query)));

    await paste(page, QUERY, 'query Mistaken { viewer { nickname } }');
    await page.locator('.graphiql-query-editor .squiggly-error').waitFor();
    await page.locator('.graphiql-tab-button', { hasText: 'Mistaken' }).waitFor();
    expect(page.url()).toBe(`${origin}/graphql`);

    await openTab(page, 'DisableServer');
    await reload(page, 6);
    await editorText(page, QUERY, 'DisableServer').waitFor();
    expect(await readTitles(page)).toEqual(['Mistaken', ...EXAMPLES.slice(1).map(({ query }) => readName(query))]);
    expect(await page.evaluate('localStorage.length')).toBe(0);
    expect(problems).toEqual([]);
    expect(foreignRequests).toEqual([]);
  });

  test('a member signs in with a valid token only, and finds nothing of the previous user', async () => {
    const { page, context, problems, foreignRequests } = visit;
    await page.goto(`${origin}/graphql`);
    for (const [token, reason] of [
      ['two words', 'does not look like a token'],
      [gateway.tokens.suspended, 'rejected this token'],
    ] as const) {
      await signIn(page, token);
      await page.getByRole('alert').filter({ hasText: reason }).waitFor();
      expect(await context.cookies()).toEqual([]);
    }
    expect(problems.splice(0)).toEqual([expect.stringContaining('400'), expect.stringContaining('401')]);

    await signIn(page, gateway.tokens.auditor);
    await waitForPlayground(page, 'Signed in as auditor@example.com (AUDITOR)');
    await paste(page, QUERY, 'query OfTheAuditor { viewer { id } }');
    await page.locator('.graphiql-tab-button', { hasText: 'OfTheAuditor' }).waitFor();

    await context.clearCookies();
    await page.reload();
    await signIn(page, gateway.tokens.member);
    await waitForPlayground(page, 'Signed in as member@example.com (MEMBER)');
    expect(await readTitles(page)).toEqual(['WhoAmI', 'ListServers', 'FollowChanges']);
    expect((await run(page, 'WhoAmI')).data.viewer).toMatchObject({ id: gateway.userIds.member });
    expect(problems).toEqual([]);
    expect(foreignRequests).toEqual([]);
  });
});

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function waitForPlayground(page: Page, viewer: string): Promise<void> {
  await page.locator('#viewer', { hasText: viewer }).waitFor();
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
}

/** Reloads the page once GraphiQL has stored which tab is open, which takes half a second. */
async function reload(page: Page, openTabIndex: number): Promise<void> {
  await expect
    .poll(() => page.evaluate(`JSON.parse(sessionStorage.getItem('graphiql:tabState'))?.activeTabIndex`))
    .toBe(openTabIndex);
  await page.reload();
  await waitForPlayground(page, 'Signed in');
}

/** Switches to another tab. GraphiQL needs a moment to load its operation, and then keeps it. */
async function openTab(page: Page, name: string): Promise<void> {
  await page.locator('.graphiql-tab-button', { hasText: name }).click();
  await editorText(page, QUERY, name).waitFor();
  await expect.poll(() => page.evaluate(`sessionStorage.getItem('graphiql:query')`)).toContain(name);
}

/** Replaces the text of an editor. Pasted, because the editor closes brackets that are typed. */
async function paste(page: Page, editor: string, text: string): Promise<void> {
  await page.locator(`${editor} .view-lines:visible`).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
  await page.keyboard.press('ControlOrMeta+V');
}

/** Presses the button and reads the answer once the page shows it. */
async function run(page: Page, name: string): Promise<{ data: any; errors?: unknown }> {
  const answered = page.waitForResponse((response) => response.request().postData()?.includes(name) ?? false);
  await page.locator('.graphiql-execute-button').click();
  const answer = await (await answered).json();
  await editorText(page, RESPONSE, Object.keys(answer.data ?? { errors: [] })[0] ?? '').waitFor();
  return answer;
}

/** Presses the button, waits for an event after a change, and presses it again to end the stream. */
async function follow(page: Page, change: () => Promise<unknown>): Promise<void> {
  await page.locator('.graphiql-execute-button').click();
  await editorText(page, RESPONSE, 'BOOKMARK').waitFor();
  await change();
  await editorText(page, RESPONSE, 'MODIFIED').waitFor();
  await page.locator('.graphiql-execute-button').click();
}

function editorText(page: Page, editor: string, text: string) {
  return page.locator(`${editor} .view-lines`, { hasText: text });
}

function readTitles(page: Page): Promise<string[]> {
  return page.locator('.graphiql-tab-button').allTextContents();
}

function readName(query: string): string {
  return /^(?:query|mutation|subscription) (\w+)/m.exec(query)?.[1] ?? '';
}
