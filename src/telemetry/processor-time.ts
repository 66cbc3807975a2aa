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
  // To look at the clock takes longer than some callbacks.
  if (next === current) return;
  const at = performance.now();
  if (current?.isOpen === true) current.charge(at - since);
  since = at;
  current = next;
}

/** How long callbacks are watched after the last meter was closed. Each switch costs more than some callbacks. */
const LINGER_MS = 1_000;

const watch = createHook({
  before() {
    outer.push(current);
    switchTo(meters.getStore());
  },
  after() {
    switchTo(outer.pop());
  },
});
let isWatching = false;
let openMeters = 0;
let isEnding = false;

/**
 * Watches the beginning and the end of every callback while anything is metered. JavaScript is not interrupted, so the
 * time between them is processor time of whatever the callback works for. It costs about a tenth of what runs meanwhile.
 */
function openMeter(charge: (ms: number) => void): Meter {
  openMeters += 1;
  if (!isWatching) {
    isWatching = true;
    outer.length = 0;
    watch.enable();
  }
  return { charge, isOpen: true };
}

function closeMeter(meter: Meter): void {
  meter.isOpen = false;
  openMeters -= 1;
  if (openMeters > 0 || isEnding) return;
  isEnding = true;
  setTimeout(endWatching, LINGER_MS).unref();
}

function endWatching(): void {
  isEnding = false;
  if (openMeters > 0) return;
  isWatching = false;
  watch.disable();
  current = undefined;
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
  const meter = openMeter(charge);
  const caller = current;
  switchTo(meter);
  try {
    const running = meters.run(meter, work);
    switchTo(caller);
    return await running;
  } finally {
    closeMeter(meter);
  }
}
