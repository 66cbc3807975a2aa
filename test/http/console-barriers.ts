import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** The half size of the same program: it is sent to each page. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A page of 1,280 × 1,024 CSS pixels at a zoom of 400 %. */
const ZOOMED = { width: 320, height: 256 };

/**
 * What somebody could not use on the page: with a screen reader or a keyboard, in light and in dark, or at a zoom of 400 %.
 * The page, its size and its focus are as before.
 */
export async function findBarriers(page: Page): Promise<string[]> {
  // By the DevTools protocol, which the policy of the page does not apply to.
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(AXE);
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    if (colorScheme === 'dark') await page.emulateMedia({ colorScheme });
    await settleStyles(page);
    // The schemes differ in nothing but their colours.
    const rules =
      colorScheme === 'light' ? {} : { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } };
    // What passes is most of a report, and takes most of its time.
    const options = { ...rules, resultTypes: ['violations'], preload: false };
    const run = `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations)`;
    for (const { id, nodes } of (await page.evaluate(run)) as AxeResults['violations']) {
      found.push(...nodes.map(({ html, failureSummary }) => `${colorScheme} ${id}: ${html}\n${failureSummary}`));
    }
  }
  const size = page.viewportSize();
  await page.setViewportSize(ZOOMED);
  await settleStyles(page);
  found.push(...((await page.evaluate(FIND_LOST)) as string[]).map((each) => `zoomed: ${each}`));
  // Both at once: the page finds its styles only once.
  await Promise.all([size === null ? undefined : page.setViewportSize(size), page.emulateMedia({ colorScheme: null })]);
  await settleStyles(page);
  return found;
}

async function settleStyles(page: Page): Promise<void> {
  // Two frames later, every style is that of the scheme and size, and its transitions have begun.
  await page.evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    .then(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))))
    .then(() => {})`);
}

/** What does not fit: where one must scroll sideways, text that is cut off, and a focus that is not seen. */
const FIND_LOST = `(() => {
  const lost = [];
  const nameOf = (element) =>
    element.tagName.toLowerCase() + ' ' + (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 60);
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const elements = [...document.body.querySelectorAll('*')];
  // For screen readers only, such as the way past the navigation as long as it has no focus.
  const unseen = elements.filter((element) => getComputedStyle(element).clipPath === 'inset(50%)');

  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth) lost.push('the page is ' + page.scrollWidth + ' pixels wide');
  for (const element of elements) {
    if (!isShown(element) || element.matches('input, select, option, svg *')) continue;
    if (unseen.some((each) => each.contains(element))) continue;
    const { left, right, width } = element.getBoundingClientRect();
    if (width > 1 && (left < -1 || right > innerWidth + 1)) lost.push('out of the page: ' + nameOf(element));
    const { overflowX, overflowY } = getComputedStyle(element);
    if (overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1) {
      lost.push((overflowX === 'hidden' ? 'cut off: ' : 'scrolls sideways: ') + nameOf(element));
    }
    if (overflowY === 'hidden' && element.scrollHeight > element.clientHeight + 1) lost.push('cut off: ' + nameOf(element));
  }

  const before = document.activeElement;
  const scrolled = [page, ...elements].filter((each) => each.scrollTop > 0).map((each) => [each, each.scrollTop]);
  const dialogs = [...document.querySelectorAll('[role$=dialog]:not([aria-modal=false])')].filter(isShown);
  const root = dialogs.at(-1) ?? document;
  for (const element of root.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')) {
    if (!isShown(element) || element.disabled || element.tabIndex < 0) continue;
    // Who has the focus already is not scrolled to.
    element.blur();
    element.focus({ focusVisible: true });
    if (document.activeElement !== element) continue;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) lost.push('no outline: ' + nameOf(element));
    // Of what is larger than the page, the part that is seen.
    const { left, top, right, bottom } = element.getClientRects()[0];
    const [x, y] = [(Math.max(left, 0) + Math.min(right, innerWidth)) / 2, (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2];
    const above = document.elementFromPoint(x, y);
    // A notice goes by itself, and can be closed.
    if (above?.closest('[class*=_notice_]')) continue;
    const isSeen = above !== null && (element.contains(above) || above.contains(element) || above.control === element);
    if (!isSeen) lost.push('focus behind ' + (above === null ? 'the edge' : nameOf(above)) + ': ' + nameOf(element));
  }
  before?.focus({ preventScroll: true });
  if (before === document.body) document.activeElement?.blur();
  for (const element of [page, ...elements]) element.scrollTop = scrolled.find(([each]) => each === element)?.[1] ?? 0;
  return lost;
})()`;
