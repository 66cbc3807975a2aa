import { AsyncLocalStorage, createHook } from 'node:async_hooks';

/** Where the processor time of one piece of work goes. */
interface Meter {
  charge: (ms: number) => void;
  isOpen: boolean;
}

const meters = new AsyncLocalStorage<Meter>();

/** What runs now, and since when. */
let current: Meter | undefined;
let since = 0;
/** What runs again when the current callback is over: callbacks may be nested. */
const outer: (Meter | undefined)[] = [];

function switchTo(next: Meter | undefined): void {
  const at = performance.now();
  if (current?.isOpen === true) current.charge(at - since);
  since = at;
  current = next;
}

let isWatching = false;

/**
 * Watches the beginning and the end of every callback. JavaScript is not interrupted, so the time between them is
 * processor time of whatever the callback works for. It costs a few percent at most.
 */
function watchCallbacks(): void {
  if (isWatching) return;
  isWatching = true;
  createHook({
    before() {
      outer.push(current);
      switchTo(meters.getStore());
    },
    after() {
      switchTo(outer.pop());
    },
  }).enable();
}

/**
 * Runs work and reports the processor time that it uses, as it uses it, until it is done. What it leaves running
 * afterwards, such as a timer, is not counted.
 *
 * @param charge receives milliseconds
 */
export async function meterProcessorTime<Result>(
  charge: (ms: number) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  watchCallbacks();
  const meter: Meter = { charge, isOpen: true };
  const caller = current;
  switchTo(meter);
  try {
    const running = meters.run(meter, work);
    switchTo(caller);
    return await running;
  } finally {
    meter.isOpen = false;
  }
}
