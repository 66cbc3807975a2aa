import { createClient, NetworkError } from 'graphql-sse';
import { type Answer, findError, isAnswer, readAnswer } from './answer.ts';
import type { FeedEvent, FeedVariables } from './config-event.ts';
import { type ClientOptions, createHeaders, send } from './connection.ts';
import { createError, GatehouseError } from './errors.ts';

/** Events of one connection that wait for their reader. More, and the connection is closed until they are read. */
const MAX_WAITING_EVENTS = 1_000;

/** What one connection to the feed is made of. */
export interface StreamOptions {
  client: ClientOptions;
  query: string;
  variables: FeedVariables;
  /** After this long without an event, the connection is dead. In milliseconds. */
  bookmarkTimeoutMs: number;
  signal: AbortSignal | undefined;
}

/**
 * The events of one connection, until it ends. It returns if the gateway completed the stream, or if the reader was so slow
 * that the connection was closed after what it has read; it throws a `GatehouseError` otherwise.
 */
export async function* openStream<Event extends FeedEvent>(options: StreamOptions): AsyncGenerator<Event, void, void> {
  const { client, query, variables, bookmarkTimeoutMs, signal } = options;
  signal?.throwIfAborted();
  const waiting: Event[] = [];
  let end: { error?: unknown } | undefined;
  let wake = (): void => undefined;
  let watch: ReturnType<typeof setTimeout> | undefined;

  const finish = (outcome: { error?: unknown }): void => {
    end ??= outcome;
    clearTimeout(watch);
    sse.dispose();
    wake();
  };
  const listen = (): void => {
    clearTimeout(watch);
    watch = setTimeout(() => {
      const message = `Nothing came for ${bookmarkTimeoutMs} ms, not even a bookmark.`;
      finish({ error: createError('CONNECTION_FAILED', message) });
    }, bookmarkTimeoutMs);
  };
  const stop = (): void => finish({ error: signal?.reason });

  const sse = createClient({
    url: String(client.url),
    headers: () => createHeaders(client),
    fetchFn: (_url: unknown, init: RequestInit) => send(client, init),
    retryAttempts: 0,
  });
  signal?.addEventListener('abort', stop, { once: true });
  listen();
  sse.subscribe(
    { query, variables: { ...variables } },
    {
      next(value) {
        if (end !== undefined) return;
        const event = readEvent<Event>(value);
        if (event instanceof GatehouseError) return finish({ error: event });
        waiting.push(event);
        if (waiting.length >= MAX_WAITING_EVENTS) return finish({});
        listen();
        wake();
      },
      error(reason) {
        readFailure(reason).then((error) => finish({ error }));
      },
      complete: () => finish({}),
    },
  );
  try {
    for (;;) {
      for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
        yield event;
        signal?.throwIfAborted();
      }
      if (end !== undefined) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if ('error' in end) throw end.error;
  } finally {
    signal?.removeEventListener('abort', stop);
    finish({});
  }
}

function readEvent<Event extends FeedEvent>(value: unknown): Event | GatehouseError {
  if (!isAnswer(value)) return createError('ANSWER_INVALID', 'The stream sent something else than an answer.');
  const error = findError(value as Answer);
  if (error !== undefined) return error;
  const event = (value.data as { mcpServerConfigEvents?: Event } | null)?.mcpServerConfigEvents;
  if (typeof event?.cursor === 'string' && typeof event.type === 'string') return event;
  return createError('ANSWER_INVALID', 'The document must select type and cursor of mcpServerConfigEvents.');
}

/** Why a connection failed. The gateway says so in the body of its answer, if it answered. */
async function readFailure(reason: unknown): Promise<unknown> {
  if (reason instanceof GatehouseError) return reason;
  if (!(reason instanceof NetworkError)) {
    return createError('ANSWER_INVALID', 'The stream cannot be read.', { cause: reason });
  }
  const { response } = reason as NetworkError<Response>;
  if (response === undefined) {
    return createError('CONNECTION_FAILED', 'The gateway could not be reached, or the stream broke off.', {
      cause: reason,
    });
  }
  return readAnswer(response).then(
    () => createError('ANSWER_INVALID', 'The gateway did not answer with a stream.', { status: response.status }),
    (error: unknown) => error,
  );
}
