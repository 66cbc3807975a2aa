import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, startVisit } from '../test/setup/browser.ts';
import { type ExampleGateway, type Person, startExampleGateway } from './example-gateway.ts';

// Shows each page of the console as a picture in docs/images, of a gateway with example data that it starts.

interface Picture {
  /** The file, without its end. */
  name: string;
  as: Person;
  path: string;
  /** Text that the page shows once it is complete. */
  shows: string;
  /** What is done on the page first. */
  first?: (page: Page) => Promise<void>;
  dark?: boolean;
  /** As on a phone. */
  narrow?: boolean;
}

/** Add a page here, and show it in docs/console.md. */
const toPictures = ({ chatId, serverIds, trackerUrl }: ExampleGateway): Picture[] => [
  { name: 'my-servers', as: 'member', path: '/', shows: 'Issue tracker' },
  { name: 'my-servers-dark', as: 'member', path: '/', shows: 'Issue tracker', dark: true },
  { name: 'my-servers-narrow', as: 'member', path: '/', shows: 'Issue tracker', narrow: true },
  { name: 'my-server', as: 'member', path: '/servers/calendar', shows: 'What helps:' },
  { name: 'chats', as: 'member', path: '/chats', shows: 'Open issues of the release' },
  { name: 'chat', as: 'member', path: `/chats/${chatId}`, shows: 'Which issues are still open' },
  { name: 'chat-dark', as: 'member', path: `/chats/${chatId}`, shows: 'Which issues are still open', dark: true },
  { name: 'account', as: 'member', path: '/account', shows: 'This browser' },
  { name: 'admin-servers', as: 'admin', path: '/admin/servers', shows: 'Issue tracker' },
  {
    name: 'admin-new-server',
    as: 'admin',
    path: '/admin/servers/new',
    shows: 'What the gateway found',
    async first(page) {
      await page.getByLabel('URL of the MCP server').fill(trackerUrl);
      await page.getByRole('button', { name: 'Look at it' }).press('Enter');
    },
  },
  { name: 'admin-server', as: 'admin', path: `/admin/servers/${serverIds['handbook']}`, shows: 'What it is good for' },
  { name: 'admin-overview', as: 'admin', path: '/admin', shows: 'servers turned on' },
  { name: 'admin-people', as: 'admin', path: '/admin/people', shows: 'Add a person' },
  { name: 'admin-keys', as: 'admin', path: '/admin/keys', shows: 'Seals new secrets' },
  { name: 'admin-audit', as: 'admin', path: '/admin/audit', shows: 'Look again' },
];

const folder = process.env['SCREENSHOTS_FOLDER'] ?? fileURLToPath(new URL('../docs/images/', import.meta.url));
await mkdir(folder, { recursive: true });
const gateway = await startExampleGateway();
try {
  const browser = await launchBrowser(['127.0.0.1']);
  try {
    await connectTracker(browser);
    let bytes = 0;
    for (const picture of toPictures(gateway)) bytes += await take(browser, picture);
    console.log(`${Math.round(bytes / 1000)} kB in ${folder}`);
  } finally {
    await browser.close();
  }
} finally {
  await gateway.close();
}

/** @returns its size */
async function take(browser: Browser, { name, as, path, shows, first, dark, narrow }: Picture): Promise<number> {
  const page = await signIn(browser, as);
  await page.setViewportSize(narrow ? { width: 320, height: 720 } : { width: 1_280, height: 800 });
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
  await page.goto(`${gateway.origin}${path}`);
  await first?.(page);
  await page.getByText(shows).first().waitFor();
  // Nothing is on its way any more.
  await page.locator('[class*="_block_"]').first().waitFor({ state: 'detached' });
  const image = await page.screenshot();
  await writeFile(`${folder}/${name}.png`, image);
  await page.context().close();
  return image.length;
}

async function signIn(browser: Browser, person: Person): Promise<Page> {
  const { context, page } = await startVisit(browser, gateway.origin);
  const headers = { authorization: `Bearer ${gateway.tokens[person]}` };
  const response = await context.request.post(`${gateway.origin}/auth/session`, { headers });
  if (!response.ok()) throw new Error(`no session: ${response.status()}`);
  return page;
}

/** Connects the member's account, so that there is a server of each state. */
async function connectTracker(browser: Browser): Promise<void> {
  const page = await signIn(browser, 'member');
  await page.goto(gateway.origin);
  await page.getByRole('button', { name: 'Connect: Issue tracker' }).press('Enter');
  await page.getByRole('button', { name: 'Disconnect: Issue tracker' }).waitFor();
  await page.context().close();
}
