import type { Locator, Page } from 'playwright-core';

/** So many frames may pass until a dialog is gone: ten seconds. */
const MAX_FRAMES = 600;

/**
 * Presses a key at an element, as `press` of Playwright does, but not while a dialog closes: it gives the focus back at its end,
 * and the key would go there.
 */
export async function pressAt(target: Locator, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
  await target.evaluate(focusAfterDialogs, MAX_FRAMES);
  await target.page().keyboard.press(key);
}

/**
 * Gives the focus to an element once there is no dialog but one that it is in, and once those that went have given the
 * focus back. A notice is a dialog, too, but not modal: it takes no focus. Runs in the page.
 */
async function focusAfterDialogs(element: any, maxFrames: number): Promise<void> {
  const { document, requestAnimationFrame, MessageChannel } = element.ownerDocument.defaultView;
  const isBehind = () =>
    [...document.querySelectorAll('[role$=dialog]:not([aria-modal=false])')].some(
      (dialog) => !dialog.contains(element),
    );
  const nextFrame = () => new Promise((done) => requestAnimationFrame(done));
  const nextTask = () =>
    new Promise((done) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage('next');
    });
  if (isBehind()) {
    for (let frames = 0; isBehind(); frames += 1) {
      if (frames === maxFrames) throw new Error(`a dialog stays in front of: ${element.outerHTML}`);
      await nextFrame();
    }
    await nextFrame();
  }
  // What React does after a change, it does in a task of its own.
  await nextTask();
  element.focus();
  if (document.activeElement !== element) throw new Error(`it takes no focus: ${element.outerHTML}`);
}

/** Presses a key until the element with this name has the focus, and keeps it, as who has no mouse does. */
export async function tabTo(page: Page, name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const target = page.getByRole('button', { name, exact: true }).or(page.getByRole('link', { name, exact: true }));
  const all = target.or(page.getByLabel(name, { exact: true }));
  let found = await all.elementHandles();
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press(key);
    const state = await page.evaluate(readFocus, { elements: found, maxFrames: MAX_FRAMES });
    if (state === 'there') return;
    if (state === 'elsewhere') continue;
    // The page has changed. To look for a name takes much longer than to look at elements.
    if (await hasFocus(all)) return;
    found = await all.elementHandles();
  }
  throw new Error(`The keyboard does not reach: ${name}`);
}

/**
 * Where the focus is, for one who looks for one of these elements. While a dialog closes, it is nowhere: the dialog gives
 * it back at its end. Runs in the page.
 */
async function readFocus({
  elements,
  maxFrames,
}: {
  elements: any[];
  maxFrames: number;
}): Promise<'there' | 'elsewhere' | 'changed'> {
  const found = elements.find((each) => each === each.ownerDocument.activeElement);
  if (found !== undefined) {
    const { document, requestAnimationFrame } = found.ownerDocument.defaultView;
    const isBehind = () =>
      [...document.querySelectorAll('[role$=dialog]:not([aria-modal=false])')].some(
        (dialog) => !dialog.contains(found),
      );
    if (!isBehind()) return 'there';
    for (let frames = 0; isBehind(); frames += 1) {
      if (frames === maxFrames) throw new Error(`a dialog stays in front of: ${found.outerHTML}`);
      await new Promise((done) => requestAnimationFrame(done));
    }
    await new Promise((done) => requestAnimationFrame(done));
    if (found === document.activeElement) return 'there';
  }
  return elements.length > 0 && elements.every((each) => each.isConnected) ? 'elsewhere' : 'changed';
}

/** Whether what is typed goes there, or to one of them. */
export async function hasFocus(elements: Locator): Promise<boolean> {
  return (await elements.and(elements.page().locator(':focus')).count()) > 0;
}
