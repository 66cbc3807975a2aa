import type { Dispatcher } from 'undici';
import { OUTBOUND_LIMITS } from '../limits/outbound-limits.ts';
import { createCheckedConnector, type Lookup, onlyWithTls } from './checked-connector.ts';
import { decodeBody } from './content-coding.ts';
import { OutboundError } from './outbound-error.ts';
import { createPrivateHosts, type PrivateHosts } from './private-hosts.ts';
import { type PrivateRange, portOf, toAddress } from './private-ranges.ts';
import { Agent, errors, request as sendRequest } from './undici.ts';
import { USER_AGENT } from './user-agent.ts';

/** Time limit of one request, from the DNS lookup to the last byte of the response. */
export const OUTBOUND_TIMEOUT_MS = OUTBOUND_LIMITS.time.value;
/** Size limit of a response body, in bytes: as it arrives, and decoded. */
export const OUTBOUND_MAX_BYTES = OUTBOUND_LIMITS.body.value;

/** The allowed destinations and the limits of requests. */
export interface SafeFetchOptions {
  /** Private destinations that the operator allows. All others must be on the public Internet. */
  ranges: readonly PrivateRange[];
  timeoutMs?: number;
  maxBytes?: number;
  /**
   * Learns the hosts that responses name, so that the URLs of a document can be checked as soon as it is read. Default:
   * its own.
   */
  hosts?: PrivateHosts;
  /** Replaces the DNS lookup in tests. */
  lookup?: Lookup;
}

const TIMEOUTS = [errors.ConnectTimeoutError, errors.HeadersTimeoutError, errors.BodyTimeoutError];

/** A request. The gateway only sends text bodies. */
export interface SafeRequest {
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  signal?: AbortSignal;
}

/**
 * Sends a request to another system. Resolves with the complete response, whatever its status.
 *
 * @throws OutboundError
 */
export type SafeFetch = (url: string | URL, request?: SafeRequest) => Promise<Response>;

/**
 * Creates the function that sends all outbound requests of the gateway. URLs come from admins and from responses of other
 * servers, so it allows only https (http for hosts that the operator allows) and checked addresses, follows no redirects,
 * asks for no compression (and limits what a response expands to), and limits time and size.
 */
export function createSafeFetch(options: SafeFetchOptions): { fetch: SafeFetch; close(): Promise<void> } {
  const { ranges, timeoutMs = OUTBOUND_TIMEOUT_MS, maxBytes = OUTBOUND_MAX_BYTES, lookup } = options;
  const hosts = options.hosts ?? createPrivateHosts(ranges, lookup);
  const agent = new Agent({
    connect: createCheckedConnector({ ranges, timeoutMs, ...(lookup !== undefined && { lookup }) }),
    maxHeaderSize: OUTBOUND_LIMITS.headers.value,
    // Connections are not reused: the host name may resolve to another address at the next request.
    pipelining: 0,
  });

  const fetch: SafeFetch = async (target, { method = 'GET', headers = {}, body, signal } = {}) => {
    const url = parseTarget(target, hosts);
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await sendRequest.call(agent, {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { ...headers, 'user-agent': USER_AGENT, 'accept-encoding': 'identity' },
        ...(body !== undefined && { body }),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      return await toResponse(answer, url.hostname, maxBytes, hosts);
    } catch (error) {
      throw toOutboundError(error, url.hostname, timeout);
    }
  };
  return { fetch, close: () => agent.close() };
}

/** Parses and checks the URL of a request. @throws OutboundError */
export function parseTarget(target: string | URL, hosts: PrivateHosts): URL {
  if (!URL.canParse(String(target)))
    throw new OutboundError('url', 'The gateway cannot call this: it is not a valid URL.');
  const url = new URL(target);
  // Where a name leads is checked when it is dialled.
  const isName = toAddress(url.hostname) === undefined;
  const isSafe =
    url.protocol === 'https:' || (url.protocol === 'http:' && ((isName && hosts.hasRanges) || hosts.isAllowed(url)));
  if (!isSafe) throw onlyWithTls(url.hostname, `${url.hostname}:${portOf(url)}`);
  if (url.username !== '' || url.password !== '') {
    throw new OutboundError('url', `The URL of ${url.hostname} contains a user name or password.`);
  }
  return url;
}

async function toResponse(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  hostname: string,
  maxBytes: number,
  hosts: PrivateHosts,
): Promise<Response> {
  const refuse = (failure: 'redirect' | 'encoding' | 'size', message: string): OutboundError => {
    // Without a listener, an 'error' event of the destroyed stream would end the process.
    body.on('error', () => undefined).destroy();
    return new OutboundError(failure, message);
  };
  if (statusCode >= 300 && statusCode < 400) throw refuse('redirect', `${hostname} responded with a redirect.`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw refuse('size', `${hostname} responded with more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  const bytes = await decodeBody(Buffer.concat(chunks), String(headers['content-encoding'] ?? ''), maxBytes);
  if (bytes === 'size') throw refuse('size', `${hostname} responded with more than ${maxBytes} bytes.`);
  if (bytes === 'encoding')
    throw refuse('encoding', `${hostname} responded with a content coding that cannot be read.`);
  await hosts.resolveIn(`${String(headers['www-authenticate'] ?? '')} ${bytes.toString('latin1')}`);
  const isBodyless = statusCode === 204 || statusCode === 205;
  return new Response(isBodyless ? null : bytes, { status: statusCode, headers: toHeaders(headers) });
}

/** The headers of a response. */
export function toHeaders(headers: Dispatcher.ResponseData['headers']): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'content-encoding') continue;
    for (const each of Array.isArray(value) ? value : [value ?? '']) result.append(name, each);
  }
  return result;
}

/** @param timeout whose end is a timeout */
export function toOutboundError(error: unknown, hostname: string, timeout: AbortSignal | undefined): OutboundError {
  if (error instanceof OutboundError) return error;
  if (timeout?.aborted === true || TIMEOUTS.some((kind) => error instanceof kind)) {
    return new OutboundError('timeout', `${hostname} did not respond in time.`, { cause: error });
  }
  return new OutboundError('connection', `${hostname} did not send a valid HTTP response.`, { cause: error });
}
