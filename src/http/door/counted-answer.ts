import { toWholeAnswer } from '../whole-answer.ts';
import type { UnreadShare } from './unread-answers.ts';

/** How an answer is counted. */
export interface CountedAnswer {
  unread: UnreadShare;
  /** What is answered in place of what is too much. Undefined: the connection ends. */
  refusal: string | undefined;
  /** Called once: when the answer is complete, or its reader went away. */
  end: () => void;
}

/**
 * The same answer, counted until it is read. A stream is read from its source as it comes, so that nothing waits where it
 * is not counted. Of a stream, what was read counts no more; the last part counts until the connection has it.
 */
export async function countAnswer(response: Response, counted: CountedAnswer): Promise<Response> {
  const { unread, refusal, end } = counted;
  const { body, status, headers } = response;
  if (body === null) {
    end();
    return response;
  }
  if (headers.get('content-type')?.startsWith('text/event-stream') === true) {
    const refused = refusal === undefined ? undefined : new TextEncoder().encode(`data: ${refusal}\n\n`);
    return new Response(countStream(body, { unread, refused, end }), { status, headers });
  }
  return countWhole(await response.text(), { status, headers }, counted);
}

/** An answer that is complete, counted. */
export function countWhole(
  body: string | Uint8Array<ArrayBuffer>,
  { status, headers }: { status: number; headers: Headers | Record<string, string> },
  { unread, refusal, end }: CountedAnswer,
): Response {
  const length = Buffer.byteLength(body);
  const isTaken = unread.take(length);
  end();
  if (isTaken) return toWholeAnswer(body, { status, headers, length });
  return new Response(refusal, { status: refusal === undefined ? 429 : status, headers });
}

function countStream(
  source: ReadableStream<Uint8Array>,
  { unread, refused, end }: Pick<CountedAnswer, 'unread' | 'end'> & { refused: Uint8Array | undefined },
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let waiting: Uint8Array[] = [];
  let isComplete = false;
  let failure: { reason: unknown } | undefined;
  let wake: () => void = () => undefined;
  /** The size of the part that the reader got last. */
  let handed = 0;

  const receive = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (!unread.take(value.byteLength)) {
        waiting = [];
        await reader.cancel().catch(() => undefined);
        if (refused === undefined) throw new Error('too much of what was answered was not read');
        waiting.push(refused);
        return;
      }
      waiting.push(value);
      wake();
    }
  };
  void receive()
    .catch((reason: unknown) => {
      failure = { reason };
    })
    .finally(() => {
      isComplete = true;
      end();
      wake();
    });

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        unread.give(handed);
        handed = 0;
        if (waiting.length === 0 && !isComplete) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const next = waiting.shift();
        if (next !== undefined) {
          handed = next.byteLength;
          controller.enqueue(next);
        } else if (failure === undefined) controller.close();
        else controller.error(failure.reason);
      },
      cancel(reason) {
        waiting = [];
        return reader.cancel(reason).catch(() => undefined);
      },
    },
    // Nothing is taken before it is read.
    { highWaterMark: 0 },
  );
}
