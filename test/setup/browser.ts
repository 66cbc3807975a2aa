import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Why there is no browser to test with, as a sentence; undefined if there is one. */
export const missingBrowser: string | undefined = existsSync(CHROMIUM)
  ? undefined
  : `There is no Chromium at ${CHROMIUM}: set CHROMIUM_PATH to test with a real browser.`;

/** Starts a real Chromium that can reach only `localhost`, as on a machine without internet. */
export function launchBrowser(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost', ...(isRoot ? ['--no-sandbox'] : [])],
  });
}

/** A page in its own profile, with all of its errors. */
export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings of the console (including violations of the content security policy), and of scripts. */
  problems: string[];
  /** Addresses outside of `origin` requested by the page, its frames or its workers. */
  foreignRequests: string[];
}

/** Opens an empty page. Close its context. */
export async function startVisit(browser: Browser, origin: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1_600, height: 900 } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  const problems: string[] = [];
  const foreignRequests: string[] = [];
  context.on('console', (message) => {
    if (['error', 'warning', 'assert'].includes(message.type())) problems.push(message.text());
  });
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== origin) foreignRequests.push(request.url());
  });
  return { context, page: await context.newPage(), problems, foreignRequests };
}
