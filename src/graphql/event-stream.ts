import type { ExecutionResult } from 'graphql';
import { KeptAnswer } from './kept-answer.ts';
import { toWireResult } from './wire-result.ts';

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
 */
export function toEventStream(results: AsyncIterable<ExecutionResult>): Response {
  const events = results[Symbol.asyncIterator]();
  let ping: NodeJS.Timeout | undefined;
  /** Whether a `next()` call is pending. */
  let isAwaited = false;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    clearInterval(ping);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // Some browsers treat a response as started only after its first bytes.
        controller.enqueue(PING);
        ping = setInterval(() => {
          // Ping only while waiting for the next result: a client that does not read gets nothing extra.
          if (isAwaited && controller.desiredSize !== null && controller.desiredSize >= 0) controller.enqueue(PING);
        }, PING_MS);
      },
      async pull(controller) {
        isAwaited = true;
        try {
          const { value, done } = await events.next();
          if (isOver) return;
          controller.enqueue(done === true ? COMPLETE : encode(value));
          if (done !== true) return;
          end();
          controller.close();
        } catch (error) {
          end();
          controller.error(error);
        } finally {
          isAwaited = false;
        }
      },
      async cancel() {
        end();
        await events.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: HEADERS });
}

function encode(result: ExecutionResult): Uint8Array {
  const known = encoded.get(result);
  if (known !== undefined) return known;
  const text = result instanceof KeptAnswer ? result.stringify() : JSON.stringify(toWireResult(result));
  const bytes = encoder.encode(`event: next\ndata: ${text}\n\n`);
  encoded.set(result, bytes);
  return bytes;
}
