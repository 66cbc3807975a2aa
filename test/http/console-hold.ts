import type { Page } from 'playwright-core';
import { findSentDocument } from '../setup/sent-document.ts';

/** Answers of the gateway that are on their way to a page. */
export interface HeldAnswers {
  /** The gateway has given the first one. */
  asked: Promise<void>;
  /** Lets all arrive. @returns when the first one has */
  release(): Promise<void>;
}

/** Holds the answers to each operation with this name, until they are released. Others pass. */
export async function holdAnswers(page: Page, operation: string): Promise<HeldAnswers> {
  const [asked, released, arrived] = [createSignal(), createSignal(), createSignal()];
  let isReleased = false;
  await page.route('**/graphql', async (route) => {
    if (isReleased || !isOperation(findSentDocument(route.request()), operation)) return route.fallback();
    const response = await route.fetch();
    asked.set();
    await released.isSet;
    await route.fulfill({ response });
    arrived.set();
  });
  return {
    asked: asked.isSet,
    release() {
      isReleased = true;
      released.set();
      return arrived.isSet;
    },
  };
}

/** Lets each operation with this name fail, until the result is called. */
export async function failAnswers(
  page: Page,
  operation: string,
  failure: { status: number; code: string } | 'connection',
): Promise<{ count(): number; end(): Promise<void> }> {
  let count = 0;
  const body =
    failure === 'connection'
      ? ''
      : JSON.stringify({ errors: [{ message: 'Something failed.', extensions: { code: failure.code } }] });
  const handler: Parameters<Page['route']>[1] = (route) => {
    if (!isOperation(findSentDocument(route.request()), operation)) return route.fallback();
    count += 1;
    if (failure === 'connection') return route.abort();
    return route.fulfill({ status: failure.status, contentType: 'application/graphql-response+json', body });
  };
  await page.route('**/graphql', handler);
  return { count: () => count, end: () => page.unroute('**/graphql', handler) };
}

function isOperation(document: string, name: string): boolean {
  return new RegExp(`\\b(?:query|mutation) ${name}\\b`).test(document);
}

function createSignal(): { isSet: Promise<void>; set(): void } {
  let set = (): void => {};
  const isSet = new Promise<void>((resolve) => {
    set = resolve;
  });
  return { isSet, set: () => set() };
}
