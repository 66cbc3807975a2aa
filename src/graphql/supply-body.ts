import { NOTHING_YET, OVER, type Supply, type Taken } from '../domain/feed/supply.ts';

/** The supplies of bodies that nobody has read from. */
const supplies = new WeakMap<ReadableStream, Supply<Uint8Array>>();

/**
 * Makes the body of a response. Whoever knows `findSupply` takes from the supply itself: a stream makes several promises
 * for each part.
 */
export function toBody(supply: Supply<Uint8Array>): ReadableStream<Uint8Array> {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  /** Whether the reader waits for a part. */
  let isAsked = false;

  const give = (taken: Taken<Uint8Array>): void => {
    if (!isAsked) return;
    if (taken === NOTHING_YET) {
      supply.onReady(takeNext);
      return;
    }
    isAsked = false;
    if (taken === OVER) controller.close();
    else controller.enqueue(taken);
  };
  const fail = (error: unknown): void => {
    isAsked = false;
    controller.error(error);
  };
  const takeNext = (): void => {
    try {
      const taken = supply.take();
      if (taken instanceof Promise) taken.then(give).catch(fail);
      else give(taken);
    } catch (error) {
      fail(error);
    }
  };

  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull() {
        if (isAsked) return;
        isAsked = true;
        takeNext();
      },
      cancel() {
        isAsked = false;
        supply.close();
      },
    },
    // Nothing is taken before it is read.
    { highWaterMark: 0 },
  );
  supplies.set(body, supply);
  return body;
}

/** The supply of a body that was made from one. Read either the body or its supply. */
export function findSupply(body: ReadableStream): Supply<Uint8Array> | undefined {
  return supplies.get(body);
}
