import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Why there is no browser to test with, as a sentence; undefined where there is one. */
export const missingBrowser: string | undefined = existsSync(CHROMIUM)
  ? undefined
  : `There is no Chromium at ${CHROMIUM}: set CHROMIUM_PATH to test with a real browser.`;

/** Starts a real Chromium that can reach `localhost` and no other host, as on a machine without internet. */
export function launchBrowser(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost', ...(isRoot ? ['--no-sandbox'] : [])],
  });
}

/** A page in a profile of its own, with all that went wrong in it. */
export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings of the console (violations of the content security policy among them), and of scripts. */
  problems: string[];
  /** Addresses outside of `origin` that the page, its frames or its workers asked for. */
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
