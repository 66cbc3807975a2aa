import type { Browser, CDPSession } from 'playwright-core';
import { startVisit, type Visit } from './browser.ts';

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

/** A profile, and what it needs between visits. */
interface Profile {
  visit: Visit;
  /** Of a page that stays open, so that the process of the pages stays, too. */
  cleaner: CDPSession;
  isClosed: boolean;
}

/** Creates profiles for the pages of an origin. Close them. */
export function createProfiles(browser: Browser, origin: string): Profiles {
  const free: Profile[] = [];
  const used: Profile[] = [];

  const create = async (): Promise<Profile> => {
    const visit = await startVisit(browser, origin);
    const { context, page } = visit;
    await page.goto(`${origin}/healthz`);
    const profile = { visit, cleaner: await context.newCDPSession(page), isClosed: false };
    context.on('close', () => {
      profile.isClosed = true;
    });
    return profile;
  };

  const leave = async ({ visit, cleaner, isClosed }: Profile): Promise<void> => {
    if (isClosed) return;
    const { context } = visit;
    await context.unrouteAll({ behavior: 'ignoreErrors' });
    const [, ...pages] = context.pages();
    for (const page of pages) await page.close();
    await context.clearCookies();
    await cleaner.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
  };

  return {
    async open() {
      const profile = free.pop() ?? (await create());
      used.push(profile);
      const { visit } = profile;
      visit.problems.splice(0);
      visit.foreignRequests.splice(0);
      return { ...visit, page: await visit.context.newPage() };
    },
    async end() {
      for (const profile of used.splice(0)) {
        await leave(profile);
        if (!profile.isClosed) free.push(profile);
      }
    },
    async close() {
      for (const { visit } of [...free.splice(0), ...used.splice(0)]) await visit.context.close();
    },
  };
}
