import type { ExecutionResult, GraphQLError } from 'graphql';
import { NOTHING_YET, OVER, type Supply, type Taken } from '../domain/feed/supply.ts';
import { KeptAnswer } from './kept-answer.ts';
import { toBody } from './supply-body.ts';
import { toWireResult } from './wire-result.ts';

/** The results of the open subscriptions, by the context of their request. */
export type OpenResults = WeakMap<object, Supply<ExecutionResult>>;

/** How often an idle connection gets a ping, so that proxies do not close it. */
const PING_MS = 12_000;

const encoder = new TextEncoder();
const PING = encoder.encode(':\n\n');
const COMPLETE = encoder.encode('event: complete\ndata:\n\n');

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
};

/** Each event is encoded once: a thousand subscribers share the same bytes. */
const encoded = new WeakMap<ExecutionResult, Uint8Array>();

/**
 * Streams a subscription's results as server-sent events, one connection per subscription (GraphQL over SSE, "distinct
 * connections mode"). The next result is requested only when the client has taken the previous one, so nothing is
 * queued here, and there is never more than one request at a time.
 *
 * @param maskError turns an error into what the caller may see
 */
export function toEventStream(results: Supply<ExecutionResult>, maskError: (error: unknown) => GraphQLError): Response {
  return new Response(toBody(toEvents(results, maskError)), { headers: HEADERS });
}

function toEvents(results: Supply<ExecutionResult>, maskError: (error: unknown) => GraphQLError): Supply<Uint8Array> {
  /** What is sent next. Some browsers treat a response as started only after its first bytes. */
  const due: Taken<Uint8Array>[] = [PING];
  let isOver = false;
  /** Whoever waits for the next part. A client that does not read gets no pings. */
  let waiting: (() => void) | undefined;
  /** Whether a result is awaited already. After a ping it still is. */
  let isAwaited = false;

  const wake = (): void => {
    const callback = waiting;
    waiting = undefined;
    callback?.();
  };
  const onResult = (): void => {
    isAwaited = false;
    wake();
  };
  const ping = setInterval(() => {
    if (waiting === undefined) return;
    due.push(PING);
    wake();
  }, PING_MS);

  const end = (): void => {
    isOver = true;
    clearInterval(ping);
  };
  const encode = (taken: Taken<ExecutionResult>): Taken<Uint8Array> => {
    if (isOver) return OVER;
    if (taken === NOTHING_YET) return taken;
    if (taken !== OVER) return toBytes(taken, maskError);
    end();
    return COMPLETE;
  };
  const fail = (error: unknown): void => {
    if (isOver) return;
    end();
    results.close();
    due.push(toBytes({ errors: [error as GraphQLError] }, maskError), COMPLETE);
  };
  /** Waits for a result without a promise for whoever reads: they get pings meanwhile. */
  const takeLater = async (result: Promise<Taken<ExecutionResult>>): Promise<void> => {
    isAwaited = true;
    try {
      due.push(encode(await result));
    } catch (error) {
      fail(error);
    }
    onResult();
  };
  const takeNext = (): Taken<Uint8Array> => {
    const taken = results.take();
    if (!(taken instanceof Promise)) return encode(taken);
    void takeLater(taken);
    return NOTHING_YET;
  };

  return {
    take() {
      const next = due.shift();
      if (next !== undefined) return next;
      if (isOver) return OVER;
      if (isAwaited) return NOTHING_YET;
      try {
        return takeNext();
      } catch (error) {
        fail(error);
        return due.shift() ?? OVER;
      }
    },
    onReady(callback) {
      waiting = callback;
      if (isAwaited) return;
      isAwaited = true;
      results.onReady(onResult);
    },
    close() {
      end();
      due.length = 0;
      results.close();
    },
  };
}

function toBytes(result: ExecutionResult, maskError: (error: unknown) => GraphQLError): Uint8Array {
  const known = encoded.get(result);
  if (known !== undefined) return known;
  const { errors } = result;
  const shown = errors === undefined ? result : { ...result, errors: errors.map(maskError) };
  const text = result instanceof KeptAnswer ? result.stringify() : JSON.stringify(toWireResult(shown));
  const bytes = encoder.encode(`event: next\ndata: ${text}\n\n`);
  encoded.set(result, bytes);
  return bytes;
}
