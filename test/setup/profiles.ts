import type { Browser } from 'playwright-core';
import { startVisit, VIEWPORT, type Visit } from './browser.ts';

/**
 * Profiles of a browser that visits take turns in. A visit finds nothing of an earlier one but the files that the gateway
 * lets browsers cache, and their compiled scripts: to load and compile those anew takes longer than most visits.
 */
export interface Profiles {
  /** Opens an empty page in a profile that nobody is in. */
  open(): Promise<Visit>;
  /** Ends all visits: their pages close, and what they stored is gone. */
  end(): Promise<void>;
  close(): Promise<void>;
}

/** A page that asks the graph nothing. */
const BETWEEN = '/auth/signed-out';

/** What tests listen to at a page. */
const LISTENED = ['request', 'requestfinished', 'requestfailed', 'response', 'websocket'] as const;

/** Creates profiles for the pages of an origin. Close them. */
export function createProfiles(browser: Browser, origin: string): Profiles {
  const free: Visit[] = [];
  const used: Visit[] = [];

  /** The page stays open: its process has the compiled scripts. */
  const leave = async ({ context, page }: Visit): Promise<void> => {
    await context.unrouteAll({ behavior: 'ignoreErrors' });
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    for (const each of context.pages()) if (each !== page) await each.close();
    await page.goto(`${origin}${BETWEEN}`);
    await page.evaluate('sessionStorage.clear()');
    await page.setViewportSize(VIEWPORT);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await context.clearCookies();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
    await cdp.detach();
    for (const event of LISTENED) page.removeAllListeners(event);
  };

  return {
    async open() {
      const visit = free.pop() ?? (await startVisit(browser, origin));
      used.push(visit);
      visit.problems.splice(0);
      visit.foreignRequests.splice(0);
      return visit;
    },
    async end() {
      for (const visit of used.splice(0)) {
        if (visit.page.isClosed()) {
          await visit.context.close();
          continue;
        }
        try {
          await leave(visit);
          free.push(visit);
        } catch {
          // The gateway cannot be reached, after a test that failed. The next one begins in a new profile.
          await visit.context.close();
        }
      }
    },
    async close() {
      for (const { context } of [...free.splice(0), ...used.splice(0)]) await context.close();
    },
  };
}
