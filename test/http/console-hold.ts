import type { Page } from 'playwright-core';
import { findSentDocument } from '../setup/sent-document.ts';

/** An answer of the gateway that is on its way to a page. */
export interface HeldAnswer {
  /** The gateway has answered. */
  asked: Promise<void>;
  /** Lets it arrive. */
  release(): Promise<void>;
}

/** Holds the answer to the next operation with this name. Others pass. */
export async function holdAnswer(page: Page, operation: string): Promise<HeldAnswer> {
  const [asked, released, arrived] = [createSignal(), createSignal(), createSignal()];
  let isHeld = false;
  await page.route('**/graphql', async (route) => {
    if (isHeld || !isOperation(findSentDocument(route.request()), operation)) return route.fallback();
    isHeld = true;
    const response = await route.fetch();
    asked.set();
    await released.isSet;
    await route.fulfill({ response });
    arrived.set();
  });
  return {
    asked: asked.isSet,
    release() {
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
