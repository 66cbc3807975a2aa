import { lazyRouteComponent } from '@tanstack/react-router';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/**
 * A page that is loaded when it is opened. While the gateway cannot be reached, the page before stays. If it cannot be
 * loaded then either, the router loads the document anew: the gateway has another version of the console, or the browser does
 * not ask twice for a script.
 */
export const lazyPage: typeof lazyRouteComponent = (load, name) =>
  lazyRouteComponent(async () => {
    try {
      return await load();
    } catch {
      await untilReachable();
      return load();
    }
  }, name);

let reachable: Promise<void> | undefined;

/** Waits until the gateway answers. All pages wait for the same answer. */
function untilReachable(): Promise<void> {
  reachable ??= askUntilAnswered().finally(() => {
    reachable = undefined;
  });
  return reachable;
}

async function askUntilAnswered(): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; !(await answers()); waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    // Not all browsers at once, when a gateway starts again.
    await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random() / 2)));
  }
}

async function answers(): Promise<boolean> {
  try {
    return (await fetch('/healthz', { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}
