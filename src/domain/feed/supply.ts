/** There is no value now. There may be one later. */
export const NOTHING_YET = Symbol('nothing yet');
/** There will be no more values. */
export const OVER = Symbol('over');

/** What there is to take. */
export type Taken<Value> = Value | typeof NOTHING_YET | typeof OVER;

/**
 * Values that a reader takes at their own pace. Unlike an async iterator, it makes no promise for a value that is there:
 * a change wakes thousands of streams, and each promise of theirs would live until the next change.
 */
export interface Supply<Value> {
  /**
   * Takes the next value. The reader takes none while a promise of the last one is pending.
   *
   * @throws what ended the supply
   */
  take(): Taken<Value> | Promise<Taken<Value>>;
  /** After `NOTHING_YET`: calls back once, as soon as it is worth to take again. */
  onReady(callback: () => void): void;
  /** Ends the supply. Whoever waits for it takes `OVER`. */
  close(): void;
}

/** A supply for readers who want an iterator, too. */
export interface IterableSupply<Value> extends Supply<Value> {
  [Symbol.asyncIterator](): AsyncIterableIterator<Value>;
}

/** Lets a callback know when there may be more. */
export type Wait = (callback: () => void) => void;

/** What a generator yields: a value, a promise to wait for, or how to wait for more. */
export type Step<Value> = Value | Promise<unknown> | Wait;

/** Supplies what a generator makes. It gets the results of the promises that it yields. */
export function toSupply<Value extends object>(steps: Generator<Step<Value>, void, unknown>): Supply<Value> {
  let wait: Wait | undefined;

  const look = ({ value, done }: IteratorResult<Step<Value>, void>): Taken<Value> | Promise<unknown> => {
    if (done === true || value === undefined) return OVER;
    if (typeof value !== 'function') return value;
    wait = value;
    return NOTHING_YET;
  };
  /** Waits for promises one after the other. If each had the next one as its result, all would be kept until the last. */
  const settle = async (first: Promise<unknown>): Promise<Taken<Value>> => {
    for (let promise = first; ; ) {
      const resume = await promise.then(
        (result) => () => steps.next(result),
        (error: unknown) => () => steps.throw(error),
      );
      const taken = look(resume());
      if (!(taken instanceof Promise)) return taken;
      promise = taken;
    }
  };

  return {
    take() {
      const taken = look(steps.next());
      return taken instanceof Promise ? settle(taken) : taken;
    },
    onReady: (callback) => wait?.(callback),
    close: () => void steps.return(),
  };
}

/** Waits inside a generator for `toSupply`. */
export function* settled<Result>(promise: Promise<Result>): Generator<Promise<Result>, Result, unknown> {
  return (yield promise) as Result;
}

/** Reads a supply as an async iterator, whose reader waits for each value before they ask for the next. */
export function iterate<Value>(supply: Supply<Value>): AsyncIterableIterator<Value> {
  const over = { value: undefined, done: true } as const;
  return {
    async next() {
      for (;;) {
        const taken = await supply.take();
        if (taken === OVER) return over;
        if (taken !== NOTHING_YET) return { value: taken as Value, done: false };
        await new Promise<void>((resolve) => supply.onReady(resolve));
      }
    },
    async return() {
      supply.close();
      return over;
    },
    async throw(error) {
      supply.close();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
