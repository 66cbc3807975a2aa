import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright-core';
import { findSentDocument } from './sent-document.ts';

/** Where Debian puts it. */
const PLACE = '/usr/bin/chromium';
/** It has no windows and takes half of the processor time. It needs files of a package that it does not ask for. */
const HEADLESS = ['/usr/bin/chromium-headless-shell', '/usr/lib/chromium/icudtl.dat'] as const;
const CHROMIUM = process.env['CHROMIUM_PATH'] ?? (HEADLESS.every((file) => existsSync(file)) ? HEADLESS[0] : PLACE);

/** No page lives long enough to win back what its scripts cost to optimise, nor what threads for its garbage cost. */
const V8_FLAGS = '--no-maglev --no-opt --single-threaded-gc --min-semi-space-size=16';

/** The size of a page, in CSS pixels. */
export const VIEWPORT = { width: 1_600, height: 900 } as const;

/** Shorter than a test's limit, so that a failure says what did not happen. */
const STEP_TIMEOUT_MS = 60_000;

const isMissing = !existsSync(CHROMIUM);
const MISSING = `There is no Chromium at ${CHROMIUM}: install it, or set CHROMIUM_PATH, to test with a real browser.`;

/** Whether tests with a real browser are skipped: there is none. In CI they are never skipped, but fail. */
export const skipsBrowser = isMissing && !process.env['CI'];
if (skipsBrowser) console.warn(`Skipped: ${MISSING}`);

let shared: Promise<Browser> | undefined;

/**
 * The Chromium of this worker, which can reach only `localhost` and 127.0.0.1. It starts when a file first asks for it, and
 * ends with the worker: a start costs as much as a small test. Close the contexts, and not the browser.
 */
export async function useBrowser(): Promise<Browser> {
  const running = await shared?.catch(() => undefined);
  if (running?.isConnected() !== true) shared = launchBrowser(['127.0.0.1']);
  return shared as Promise<Browser>;
}

/**
 * Starts a real Chromium that can reach only `localhost`, as on a machine without internet.
 *
 * @param hosts other hosts that it can reach, e.g. `127.0.0.1` for a test's peers
 */
export async function launchBrowser(hosts: readonly string[] = []): Promise<Browser> {
  if (isMissing) throw new Error(MISSING);
  const rules = ['MAP * ~NOTFOUND', ...['localhost', ...hosts].map((host) => `EXCLUDE ${host}`)].join(', ');
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [`--host-resolver-rules=${rules}`, `--js-flags=${V8_FLAGS}`, ...(isRoot ? ['--no-sandbox'] : [])],
  });
}

/** A page in its own profile, with all of its errors. */
export interface Visit {
  context: BrowserContext;
  page: Page;
  /**
   * Errors and warnings of the console (including violations of the content security policy), and of scripts, and requests
   * that failed or were given up without a reason.
   */
  problems: string[];
  /** Addresses outside of `origin` requested by the page, its frames or its workers. */
  foreignRequests: string[];
}

/**
 * Opens an empty page, for somebody who wants less motion: each frame of a movement is drawn by the processor. A test of
 * movements emulates the opposite. Close its context.
 */
export async function startVisit(browser: Browser, origin: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: VIEWPORT, reducedMotion: 'reduce' });
  context.setDefaultTimeout(STEP_TIMEOUT_MS);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  const problems: string[] = [];
  const foreignRequests: string[] = [];
  context.on('console', (message) => {
    if (['error', 'warning', 'assert'].includes(message.type())) problems.push(message.text());
  });
  watchRequests(context, problems);
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== origin) foreignRequests.push(request.url());
  });
  return { context, page: await context.newPage(), problems, foreignRequests };
}

/**
 * Notes requests that failed. Who leaves a page gives up what it had asked for, and so does a window that closes itself. The
 * console gives up a query when nothing on the page needs it any more, but never a mutation.
 */
function watchRequests(context: BrowserContext, problems: string[]): void {
  const left = new Set<Page>();
  const popups = new Set<Page>();
  context.on('page', (page) => {
    page.on('popup', (popup) => popups.add(popup));
    page.on('domcontentloaded', () => left.delete(page));
  });
  context.on('request', (request) => {
    const page = request.isNavigationRequest() ? pageOf(request) : undefined;
    if (page !== undefined) left.add(page);
  });
  context.on('requestfailed', (request) => {
    const failure = request.failure()?.errorText ?? 'failed';
    const page = pageOf(request);
    const wasLeft = page === undefined || page.isClosed() || left.has(page) || popups.has(page);
    if (failure === 'net::ERR_ABORTED' && (wasLeft || isQuery(request))) return;
    problems.push(`${request.method()} ${new URL(request.url()).pathname} failed: ${failure}`);
  });
}

function isQuery(request: Request): boolean {
  return new URL(request.url()).pathname === '/graphql' && !/(?:^|[\s}])mutation [A-Z]/.test(findSentDocument(request));
}

/** The page of a request; undefined if it has none yet. */
function pageOf(request: Request): Page | undefined {
  try {
    return request.frame().page();
  } catch {
    return undefined;
  }
}
