import type { Page, Request, Response } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipsBrowser } from '../setup/browser.ts';
import { findSentDocument } from '../setup/sent-document.ts';
import { pressAt } from './console-keyboard.ts';
import { type ConsoleWorld, openConsoleWorld } from './console-setup.ts';

/** The links from page to page, each with the heading of where it leads. */
const WAY = [
  [/: Open tools$/, 'Open tools'],
  ['Chats', 'Chats'],
  ['My account', 'My account'],
  ['Overview', 'Overview'],
  ['Servers', 'Servers'],
  ['Add a server', 'Add a server'],
  ['People', 'People'],
  ['Keys', 'Encryption keys'],
  ['Audit log', 'Audit log'],
  ['My servers', 'My servers'],
] as const;

/**
 * Notes what a page asks the graph over HTTP: whether it sent the document, and the status of the answer. `settle` resolves
 * once the page has all answers, and asks nothing more because of them.
 */
function watchGraph(page: Page) {
  const seen: { name: string; hasText: boolean; status: number }[] = [];
  const open = new Set<Request>();
  let asked = 0;
  page.on('request', (request) => {
    if (new URL(request.url()).pathname !== '/graphql') return;
    asked += 1;
    open.add(request);
  });
  page.on('requestfinished', (request) => open.delete(request));
  page.on('requestfailed', (request) => open.delete(request));
  page.on('response', (response: Response) => {
    const request = response.request();
    if (!response.url().endsWith('/graphql') || request.method() !== 'POST') return;
    const [, name = ''] = /query (\w+)/.exec(findSentDocument(request)) ?? [];
    seen.push({ name, hasText: request.postDataJSON().query !== undefined, status: response.status() });
  });
  const settle = async (): Promise<void> => {
    let before = -1;
    while (before !== asked || open.size > 0) {
      await expect.poll(() => open.size).toBe(0);
      before = asked;
      // Two frames later it has shown what came, and has asked what that led to. It may never call itself idle.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    }
  };
  return { seen, settle };
}

async function visitAll(world: ConsoleWorld) {
  const { page, problems } = await world.signIn(world.gateway.tokens.admin);
  const { seen: graph, settle } = watchGraph(page);
  await page.goto(world.origin);
  await page.getByRole('heading', { name: 'Open tools', exact: true }).waitFor();
  await settle();
  for (const [link, heading] of WAY) {
    await pressAt(page.getByRole('link', { name: link, exact: true }).first());
    await page.getByRole('heading', { name: heading, level: 1, exact: true }).waitFor();
    await settle();
  }
  return { page, graph, problems };
}

/** A change of a server shows, which the page learns over its WebSocket. */
async function expectLive(world: ConsoleWorld, page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Open tools', exact: true }).waitFor();
  await page.getByText('Not live').waitFor({ state: 'hidden' });
  await world.define({ slug: 'later', display_name: 'Later' });
  await page.getByRole('heading', { name: 'Later', exact: true }).waitFor();
}

describe.skipIf(skipsBrowser).each([
  ['a gateway that takes only trusted documents', { trustedOnly: true }],
  ['a gateway of another version, which knows none of its documents', { knowsConsole: false }],
] as const)('the console at %s', (_name, options) => {
  let world: ConsoleWorld;
  beforeAll(async () => {
    world = await openConsoleWorld(options);
    await world.define({ slug: 'open', display_name: 'Open tools', availability: 'default_on' });
  });
  afterAll(() => world?.close());

  test('shows all of its pages, and changes live', async () => {
    const { page, graph, problems } = await visitAll(world);
    await expectLive(world, page);
    expect(new Set(graph.map(({ name }) => name)).size).toBeGreaterThan(10);
    if ('trustedOnly' in options) {
      expect(graph.filter(({ hasText, status }) => hasText || status !== 200)).toEqual([]);
    } else {
      // Each document was asked by its hash, in vain, and then sent.
      const [texts, hashes] = [graph.filter(({ hasText }) => hasText), graph.filter(({ hasText }) => !hasText)];
      expect(texts.filter(({ status }) => status !== 200)).toEqual([]);
      expect(hashes.filter(({ status }) => status !== 400)).toEqual([]);
      expect(new Set(texts.map(({ name }) => name)).size).toBeGreaterThan(10);
    }
    // Browsers note each answer that is not 2xx.
    const noted = problems.filter((it) => 'trustedOnly' in options || !it.includes('status of 400'));
    expect(noted).toEqual([]);
    await world.endVisits();
  });
});
