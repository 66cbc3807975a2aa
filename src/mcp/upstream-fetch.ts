import { extractWWWAuthenticateParams, type FetchLike } from '@modelcontextprotocol/client';
import type { SafeRequest } from '../outbound/safe-fetch.ts';
import type { StreamFetch } from '../outbound/stream-fetch.ts';
import { currentExchange, type Exchange } from './exchange.ts';
import { createJsonMeter } from './json-meter.ts';
import { toUpstreamError } from './outbound-problem.ts';
import { parseRetryAfter } from './retry-after.ts';
import { UpstreamError, type UpstreamFacts, type UpstreamProblem } from './upstream-error.ts';
import { MAX_ANSWER_DEPTH, MAX_SILENCE_MS } from './upstream-limits.ts';

/** Names of headers that belong to the protocol. A stored header with such a name is not sent. */
const PROTOCOL_HEADERS =
  /^(?:accept|accept-encoding|connection|content-length|content-type|host|last-event-id|mcp-.*)$/;

/**
 * Creates the `fetch` of one connection for the SDK's transports. Each request gets the credentials of the exchange that
 * it belongs to, and leaves its failure there. The credentials go to the server's own origin only.
 *
 * @param url of the server
 * @param isStreamShared whether answers arrive on a stream that outlives the exchange, as in the transport of 2024
 */
export function createUpstreamFetch(options: {
  fetch: StreamFetch;
  url: URL;
  userAgent: string;
  isStreamShared: boolean;
  /** Called when a stream with the answers of several exchanges fails. */
  onStreamFault: (fault: UpstreamError) => void;
}): FetchLike {
  const { fetch, url: server, userAgent, isStreamShared, onStreamFault } = options;

  return async (target, init) => {
    const exchange = currentExchange();
    const url = new URL(target);
    // Without an exchange, nobody asked for this request.
    if (exchange === undefined || url.origin !== server.origin) throw new UpstreamError('CLOSED');
    const method = (init?.method ?? 'GET') as NonNullable<SafeRequest['method']>;
    // A stream that the server may open for itself. Its failure is no failure of the operation.
    const isExtra = method === 'GET' && !isStreamShared;
    const isEndless = method === 'GET';
    let meter = createJsonMeter(false);
    let bytes = 0;
    let status: number | undefined;
    const inspect = (chunk: Uint8Array): void => {
      bytes += chunk.byteLength;
      exchange.bytes += chunk.byteLength;
      const measure = meter(chunk);
      const isTooLong = isEndless ? bytes > exchange.maxBytes * MAX_ANSWERS_OF_STREAM : isOver(exchange, bytes);
      if (isTooLong || measure.bytes > exchange.maxBytes) throw refuse('TOO_LARGE');
      if (exchange.budget?.take(chunk.byteLength) === false) throw refuse('BUSY');
      if (measure.depth > MAX_ANSWER_DEPTH) throw refuse('TOO_DEEP');
    };
    const refuse = (problem: UpstreamProblem): UpstreamError => {
      const fault = new UpstreamError(problem);
      if (!isEndless) exchange.fault = fault;
      else if (isStreamShared) onStreamFault(fault);
      return fault;
    };
    try {
      const response = await fetch(url, {
        method,
        headers: toHeaders(exchange, init?.headers, userAgent),
        ...(typeof init?.body === 'string' && { body: init.body }),
        ...toSignal(exchange, init?.signal, isEndless),
        maxIdleMs: isEndless ? 0 : (exchange.maxSilenceMs ?? MAX_SILENCE_MS),
        inspect,
        onBroken(error) {
          if (!isExtra) exchange.fault ??= new UpstreamError(toUpstreamError(error).problem, { status });
        },
      });
      status = response.status;
      const type = response.headers.get('content-type') ?? '';
      meter = createJsonMeter(/^\s*text\/event-stream/i.test(type));
      const fault = findFault(response, type);
      // A stream that broke off is continued.
      if (!isExtra || fault === undefined) exchange.fault = fault;
      return response;
    } catch (error) {
      const fault = toUpstreamError(error);
      if (!isExtra) exchange.fault = fault;
      throw fault;
    }
  };
}

/** A stream that outlives its exchange may bring this many answers. Then the connection is made again. */
const MAX_ANSWERS_OF_STREAM = 16;

function isOver({ maxBytes, maxTotalBytes, bytes: total }: Exchange, bytes: number): boolean {
  return bytes > maxBytes || total > maxTotalBytes;
}

function toHeaders(exchange: Exchange, given: RequestInit['headers'], userAgent: string): Record<string, string> {
  const credentials = exchange.headers.filter(({ name }) => !PROTOCOL_HEADERS.test(name.toLowerCase()));
  const names = new Set(credentials.map(({ name }) => name.toLowerCase()));
  const own = Object.entries({ 'user-agent': userAgent, ...Object.fromEntries(new Headers(given)) });
  return Object.fromEntries([
    ...own.filter(([name]) => !names.has(name)),
    ...credentials.map(({ name, value }) => [name, value.expose()]),
  ]);
}

function toSignal(
  exchange: Exchange,
  own: AbortSignal | null | undefined,
  isEndless: boolean,
): { signal?: AbortSignal } {
  // An endless stream ends with its connection.
  const signals = [isEndless ? undefined : exchange.signal, own ?? undefined].filter((each) => each !== undefined);
  return signals.length === 0 ? {} : { signal: AbortSignal.any(signals) };
}

function findFault(response: Response, type: string): UpstreamError | undefined {
  const { status, headers } = response;
  const facts: UpstreamFacts = { status, retryAfterMs: parseRetryAfter(headers.get('retry-after')) };
  if (status === 401 || status === 403) {
    const { scope, error } = extractWWWAuthenticateParams(response);
    const scopes = scope?.split(' ').filter((each) => each !== '') ?? [];
    if (status === 401) return new UpstreamError('UNAUTHORIZED', { ...facts, scopes });
    return new UpstreamError(error === 'insufficient_scope' ? 'INSUFFICIENT_SCOPE' : 'FORBIDDEN', { ...facts, scopes });
  }
  if (status === 429) return new UpstreamError('RATE_LIMITED', facts);
  if (status === 404 || status === 405 || status === 410) return new UpstreamError('NOT_MCP', facts);
  if (status >= 500) return new UpstreamError('UNAVAILABLE', facts);
  if (status >= 400) return new UpstreamError('HTTP_ERROR', facts);
  if (status === 202 || status === 204 || /^\s*(?:application\/json|text\/event-stream)\s*(?:;|$)/i.test(type)) {
    return undefined;
  }
  return new UpstreamError('NOT_MCP', facts);
}
