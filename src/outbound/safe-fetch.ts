import { Agent, type Dispatcher, errors, request as undiciRequest } from 'undici';
import { createCheckedConnector, type Lookup } from './checked-connector.ts';
import { OutboundError } from './outbound-error.ts';
import { createPrivateHostCheck, type PrivateRange } from './private-ranges.ts';

/** One call, from the first lookup to the last byte, takes at most this long. */
export const OUTBOUND_TIMEOUT_MS = 10_000;
/** An answer has at most this many bytes. */
export const OUTBOUND_MAX_BYTES = 256 * 1_024;

/** Where calls may go, and their bounds. */
export interface SafeFetchOptions {
  /** What the operator opened; everything else must be on the public Internet. */
  ranges: readonly PrivateRange[];
  timeoutMs?: number;
  maxBytes?: number;
  /** How names are resolved, for tests. */
  lookup?: Lookup;
}

/** What is sent. Bodies are texts: that is all that the gateway sends. */
export interface SafeRequest {
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  signal?: AbortSignal;
}

/**
 * Calls another system. Resolves with the whole answer, whatever its status.
 *
 * @throws OutboundError
 */
export type SafeFetch = (url: string | URL, request?: SafeRequest) => Promise<Response>;

/**
 * Makes the one way out of the gateway. URLs come from admins and from what other servers answer, so: https (http for
 * hosts that the operator opened), only checked addresses, no redirects, no compression (a small answer cannot become
 * a large one), a bound on time and size over all of it.
 */
export function createSafeFetch(options: SafeFetchOptions): { fetch: SafeFetch; close(): Promise<void> } {
  const { ranges, timeoutMs = OUTBOUND_TIMEOUT_MS, maxBytes = OUTBOUND_MAX_BYTES, lookup } = options;
  const isOpenedHost = createPrivateHostCheck(ranges);
  const agent = new Agent({
    connect: createCheckedConnector({ ranges, timeoutMs, ...(lookup !== undefined && { lookup }) }),
    maxHeaderSize: 16_384,
    // A connection is not kept: the next call may be for a host whose name leads elsewhere by then.
    pipelining: 0,
  });

  const fetch: SafeFetch = async (target, { method = 'GET', headers = {}, body, signal } = {}) => {
    const url = parseTarget(target, isOpenedHost);
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await undiciRequest(url, {
        dispatcher: agent,
        method,
        headers: { ...headers, 'accept-encoding': 'identity' },
        ...(body !== undefined && { body }),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      return await toResponse(answer, url.hostname, maxBytes);
    } catch (error) {
      throw toOutboundError(error, url.hostname, timeout);
    }
  };
  return { fetch, close: () => agent.close() };
}

function parseTarget(target: string | URL, isOpenedHost: (url: URL) => boolean): URL {
  if (!URL.canParse(String(target))) throw new OutboundError('url', 'This is not a URL that the gateway calls.');
  const url = new URL(target);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isOpenedHost(url));
  if (!isSafe) throw new OutboundError('url', `${url.hostname} is only called by https.`);
  if (url.username !== '' || url.password !== '') {
    throw new OutboundError('url', `The URL of ${url.hostname} carries a user name or password.`);
  }
  return url;
}

async function toResponse(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  hostname: string,
  maxBytes: number,
): Promise<Response> {
  const refuse = (failure: 'redirect' | 'encoding' | 'size', message: string): OutboundError => {
    // What the destroyed stream says has no other listener and would end the process.
    body.on('error', () => undefined).destroy();
    return new OutboundError(failure, message);
  };
  if (statusCode >= 300 && statusCode < 400) throw refuse('redirect', `${hostname} answers with a redirect.`);
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw refuse('encoding', `${hostname} answers with a content coding that was not asked for.`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw refuse('size', `${hostname} answers with more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  const isBodyless = statusCode === 204 || statusCode === 205;
  return new Response(isBodyless ? null : Buffer.concat(chunks), { status: statusCode, headers: toHeaders(headers) });
}

function toHeaders(headers: Dispatcher.ResponseData['headers']): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) result.append(name, each);
  }
  return result;
}

function toOutboundError(error: unknown, hostname: string, timeout: AbortSignal): OutboundError {
  if (error instanceof OutboundError) return error;
  if (timeout.aborted || error instanceof errors.ConnectTimeoutError || error instanceof errors.HeadersTimeoutError) {
    return new OutboundError('timeout', `${hostname} did not answer in time.`, { cause: error });
  }
  return new OutboundError('connection', `${hostname} did not answer as an HTTP server does.`, { cause: error });
}
