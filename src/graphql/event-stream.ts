import type { ExecutionResult } from 'graphql';
import type { RememberedAnswer } from './answer-memory.ts';
import { toWireResult } from './wire-result.ts';

/** Something goes over an idle connection this often, so that nobody between takes it for dead. */
const PING_MS = 12_000;

const encoder = new TextEncoder();
const PING = encoder.encode(':\n\n');
const COMPLETE = encoder.encode('event: complete\ndata:\n\n');

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  // For proxies that would keep events until there are more of them (nginx's word for it, understood by others).
  'x-accel-buffering': 'no',
};

/** What many get is made once: a thousand who follow have a reference each, and no copy. */
const encoded = new WeakMap<ExecutionResult, Uint8Array>();

/**
 * The results of a subscription as server-sent events, one connection each (GraphQL over SSE, "distinct connections
 * mode"). The next result is asked for when the client took the one before: nothing waits for him here, and it is only
 * asked for once.
 */
export function toEventStream(results: AsyncIterable<ExecutionResult>): Response {
  const events = results[Symbol.asyncIterator]();
  let ping: NodeJS.Timeout | undefined;
  /** Whether the next result is being waited for. */
  let isAwaited = false;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    clearInterval(ping);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // Some browsers take a response for begun only with its first bytes.
        controller.enqueue(PING);
        ping = setInterval(() => {
          // Only while somebody waits for more; who does not take what there is gets nothing on top.
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
  const text = (result as Partial<RememberedAnswer>).stringify?.() ?? JSON.stringify(toWireResult(result));
  const bytes = encoder.encode(`event: next\ndata: ${text}\n\n`);
  encoded.set(result, bytes);
  return bytes;
}
