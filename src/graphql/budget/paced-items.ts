import { timeSlices } from './time-slices.ts';

/** How many objects are resolved before looking at the time. */
const AT_ONCE = 50;

interface Waiting {
  run: () => void;
  /** In objects. */
  cost: number;
}

/**
 * Hands out the objects of an operation's lists so that resolving them does not keep everybody else waiting: the first
 * ones at once, the rest as promises that are fulfilled in portions. GraphQL executors resolve a list of promises as they
 * arrive.
 */
export class PacedItems {
  #free = AT_ONCE;
  #waiting: Waiting[] = [];
  #next = 0;
  #isRunning = false;
  #isStopped = false;

  /** The same items, or promises of them. */
  pace(items: readonly unknown[]): readonly unknown[] {
    if (items.length <= this.#free) {
      this.#free -= items.length;
      return items;
    }
    const free = this.#free;
    this.#free = 0;
    return items.map((item, index) => (index < free ? item : this.#wait(1, item)));
  }

  /** Before work that takes as long as resolving some dozens of objects: undefined if it may begin at once. */
  turn(): Promise<unknown> | undefined {
    return !this.#isRunning && timeSlices.hasTime() ? undefined : this.#wait(AT_ONCE, undefined);
  }

  /** Leaves the rest unresolved, for ever. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting = [];
    this.#next = 0;
  }

  #wait<Value>(cost: number, value: Value): Promise<Value> {
    return new Promise((resolve) => {
      if (this.#isStopped) return;
      this.#waiting.push({ run: () => resolve(value), cost });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // What was handed out at once is resolved first.
    await undefined;
    while (this.#next < this.#waiting.length) {
      await timeSlices.next();
      this.#free = AT_ONCE;
      for (let cost = 0; cost < AT_ONCE; this.#next += 1) {
        const waiting = this.#waiting[this.#next];
        if (waiting === undefined) break;
        waiting.run();
        cost += waiting.cost;
      }
      // Until these are resolved: the look at the time comes after.
      await undefined;
      await undefined;
    }
    this.#waiting = [];
    this.#next = 0;
    this.#free = AT_ONCE;
    this.#isRunning = false;
  }
}
