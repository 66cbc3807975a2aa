/** The browser says nothing when the user stops it from leaving. After this time, that is what is assumed. */
const LEAVING_MS = 30_000;

let leavingUntil = 0;
let isEnded = false;
const holders = new Set<() => boolean>();
const listeners = new Set<() => void>();

// The browser may show this page again as it was left.
addEventListener('pageshow', () => {
  leavingUntil = 0;
});

/** Whether the browser is about to show another page. */
function isLeaving(): boolean {
  return performance.now() < leavingUntil;
}

/**
 * Marks that the browser leaves for another page. What is refused meanwhile leads nowhere else: the session may have ended,
 * and its WebSocket be closed, before that page arrives.
 */
export function startLeaving(): void {
  leavingUntil = performance.now() + LEAVING_MS;
}

/**
 * Keeps the page while something on it would be lost, such as a text that was typed.
 *
 * @param isHeld asked when the session has ended
 * @returns keeps it no longer
 */
export function holdPage(isHeld: () => boolean): () => void {
  holders.add(isHeld);
  return () => holders.delete(isHeld);
}

/**
 * The session has ended: goes to the sign-in page, and comes back here from there. Each request that is refused asks for it:
 * the first one counts. A page that is kept stays, and says so: it goes on once its user has signed in elsewhere.
 */
export function leaveForSignIn(): void {
  if (isLeaving()) return;
  if ([...holders].some((isHeld) => isHeld())) {
    setEnded(true);
    return;
  }
  startLeaving();
  const here = `${location.pathname}${location.search}`;
  location.assign(`/auth/sign-in?return_to=${encodeURIComponent(here)}`);
}

/** The gateway knows who is signed in. */
export function markSignedIn(): void {
  setEnded(false);
}

/** Whether the session has ended, for a page that is kept. A store of React. */
export const sessionEnd = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  read: (): boolean => isEnded,
};

function setEnded(to: boolean): void {
  if (isEnded === to) return;
  isEnded = to;
  for (const listener of listeners) listener();
}
