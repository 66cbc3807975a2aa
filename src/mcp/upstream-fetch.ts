import { extractWWWAuthenticateParams, type FetchLike } from '@modelcontextprotocol/client';
import type { SafeRequest } from '../outbound/safe-fetch.ts';
import type { StreamFetch } from '../outbound/stream-fetch.ts';
import { currentExchange, type Exchange, takeReceived } from './exchange.ts';
import { inspectAnswer } from './inspect-answer.ts';
import { toUpstreamError } from './outbound-problem.ts';
import { toRequestHeaders } from './request-headers.ts';
import { parseRetryAfter } from './retry-after.ts';
import { UpstreamError, type UpstreamFacts } from './upstream-error.ts';
import { MAX_SILENCE_MS } from './upstream-limits.ts';

/**
 * Creates the `fetch` of one connection for the SDK's transports. Each request gets the credentials of the exchange that
 * it belongs to, and leaves its failure there. The credentials go to the server's own origin only. A response that the
 * exchange has already is not asked for again.
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
    // The first part of a body may be refused before the response is here.
    let refused: UpstreamError | undefined;
    const onFault = (fault: UpstreamError): void => {
      refused = fault;
      if (!isEndless) exchange.fault = fault;
      else if (isStreamShared) onStreamFault(fault);
    };
    const received = method === 'POST' ? takeReceived(exchange) : undefined;
    if (received !== undefined) {
      exchange.fault ??= findFault(received.response);
      return received.response;
    }
    try {
      const response = await fetch(url, {
        method,
        headers: toRequestHeaders(exchange, {
          'user-agent': userAgent,
          ...Object.fromEntries(new Headers(init?.headers)),
        }),
        ...(typeof init?.body === 'string' && { body: init.body }),
        ...toSignal(exchange, init?.signal, isEndless),
        maxIdleMs: isEndless ? 0 : (exchange.maxSilenceMs ?? MAX_SILENCE_MS),
        inspectAs: inspectAnswer(exchange, { isEndless, onFault }),
        onBroken(error, status) {
          if (!isExtra) exchange.fault ??= new UpstreamError(toUpstreamError(error).problem, { status });
        },
      });
      const fault = refused ?? findFault(response);
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

function toSignal(
  exchange: Exchange,
  own: AbortSignal | null | undefined,
  isEndless: boolean,
): { signal?: AbortSignal } {
  // An endless stream ends with its connection.
  const signals = [isEndless ? undefined : exchange.signal, own ?? undefined].filter((each) => each !== undefined);
  return signals.length === 0 ? {} : { signal: AbortSignal.any(signals) };
}

function findFault(response: Response): UpstreamError | undefined {
  const { status, headers } = response;
  const type = headers.get('content-type') ?? '';
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
