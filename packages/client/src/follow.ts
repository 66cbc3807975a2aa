import { type Backoff, nextDelayMs, wait } from './backoff.ts';
import { CONFIG_EVENTS, type ConfigEvent, type FeedDocument, type FeedEvent } from './config-event.ts';
import type { ClientOptions } from './connection.ts';
import { CursorLostError, GatehouseError, UnauthenticatedError } from './errors.ts';
import { openStream } from './feed-stream.ts';
import { printDocument } from './typed-document.ts';

/** Comes before a snapshot: forget what you have, the next `ADDED` events up to a `BOOKMARK` are all that there is. */
export interface ResetEvent {
  type: 'RESET';
  /** The following began, or the gateway could not continue from the cursor. */
  reason: 'START' | 'CURSOR_EXPIRED' | 'CURSOR_INVALID';
}

/** How to follow the feed. */
export interface FollowOptions<Event extends FeedEvent = ConfigEvent> {
  /** Resume after this cursor: that of the last event that was dealt with, or `feedCursor` of a list. */
  after?: string | null | undefined;
  /** Without `after`: whether to start with all configs (the default), or with the changes from now on. */
  includeInitial?: boolean | undefined;
  /** The subscription to send. Default: one for the fields of `ConfigEvent`. */
  document?: FeedDocument<Event> | undefined;
  /**
   * What to do when the gateway cannot continue from the cursor, because it is too old or of another database. `throw` (the
   * default) throws a `CursorLostError`; `restart` yields a `ResetEvent` and starts again with all configs.
   */
  ifCursorLost?: 'throw' | 'restart' | undefined;
  /** After this long without an event the connection is dead. A bookmark comes every 15 seconds. Default: 40,000. */
  bookmarkTimeoutMs?: number | undefined;
  /** The wait between attempts. Default: from 250 to 30,000. */
  backoff?: Partial<Backoff> | undefined;
  /** Ends the following: the iterator then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called before each wait. `error` is undefined if the stream only ended, as it does once an hour. */
  onRetry?: ((retry: { error: GatehouseError | undefined; attempt: number; delayMs: number }) => void) | undefined;
}

const BOOKMARK_TIMEOUT_MS = 40_000;
const BACKOFF: Backoff = { minMs: 250, maxMs: 30_000 };
/** The longest that a `Retry-After` is taken at its word. */
const MAX_RETRY_AFTER_MS = 300_000;

/** After these, the same attempt can succeed later. */
const PASSING_CODES: ReadonlySet<string> = new Set([
  'CONNECTION_FAILED',
  'RATE_LIMITED',
  'UPSTREAM_FAILED',
  'INTERNAL_SERVER_ERROR',
]);
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Follows the feed and resumes after any disconnect. Each event comes once and none is missing. Throws a `GatehouseError`
 * that waiting does not cure, such as `UNAUTHENTICATED`.
 */
export async function* follow<Event extends FeedEvent = ConfigEvent>(
  client: ClientOptions,
  options: FollowOptions<Event> = {},
): AsyncGenerator<Event | ResetEvent, void, void> {
  const { signal, ifCursorLost = 'throw', bookmarkTimeoutMs = BOOKMARK_TIMEOUT_MS } = options;
  const query = options.document === undefined ? CONFIG_EVENTS : printDocument(options.document);
  const backoff = { ...BACKOFF, ...options.backoff };
  let cursor = options.after ?? undefined;
  let includeInitial = cursor === undefined && options.includeInitial !== false;
  let failures = 0;
  if (includeInitial) yield { type: 'RESET', reason: 'START' };
  for (;;) {
    let error: GatehouseError | undefined;
    const variables = cursor === undefined ? { includeInitial } : { after: cursor, includeInitial: false };
    const events = openStream<Event>({ client, query, variables, bookmarkTimeoutMs, signal });
    try {
      for await (const event of events) {
        yield event;
        // Only now the reader is done with it.
        cursor = event.cursor;
        failures = 0;
      }
    } catch (reason) {
      if (!(reason instanceof GatehouseError)) throw reason;
      error = reason;
    }
    failures += 1;
    if (error instanceof CursorLostError && cursor !== undefined && ifCursorLost === 'restart') {
      cursor = undefined;
      includeInitial = true;
      yield { type: 'RESET', reason: error.code === 'CURSOR_EXPIRED' ? 'CURSOR_EXPIRED' : 'CURSOR_INVALID' };
    } else if (error !== undefined && !passes(error, client, failures)) {
      throw error;
    }
    const asked = Math.min(error?.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
    const delayMs = Math.max(nextDelayMs(backoff, failures, Math.random()), asked);
    options.onRetry?.({ error, attempt: failures, delayMs });
    await wait(delayMs, signal);
  }
}

function passes(error: GatehouseError, { token }: ClientOptions, failures: number): boolean {
  // A token may have expired. Its function is asked once more.
  if (error instanceof UnauthenticatedError) return typeof token === 'function' && failures === 1;
  if (PASSING_CODES.has(error.code)) return true;
  return error.code === 'ANSWER_INVALID' && error.status !== undefined && PASSING_STATUSES.has(error.status);
}
