import { Agent, request as undiciRequest } from 'undici';
import { createCheckedConnector, type Lookup } from './checked-connector.ts';
import { OutboundError } from './outbound-error.ts';
import { createPrivateHosts, type PrivateHosts } from './private-hosts.ts';
import type { PrivateRange } from './private-ranges.ts';
import { parseTarget, type SafeRequest, toHeaders, toOutboundError } from './safe-fetch.ts';

/** A connection without requests is closed after this time, before most servers close it. */
const KEEP_ALIVE_MS = 4_000;
/**
 * The most connections that one stream fetch opens to a host. Far more than one user has operations at once: a user whose
 * calls take long must leave connections to the others who share it.
 */
const MAX_CONNECTIONS = 512;

/** A request whose response is read while it arrives. */
export interface StreamRequest extends SafeRequest {
  /** The longest time without a byte of the response, in milliseconds. 0 for no limit. */
  maxIdleMs: number;
  /** Sees every part of the body before the reader. Throws to refuse the rest. */
  inspect: (chunk: Uint8Array) => void;
  /** Learns that the body broke off. Its reader may not tell why. */
  onBroken?: ((error: OutboundError) => void) | undefined;
}

/**
 * Sends a request to another system. Resolves when the response's headers are there.
 *
 * @throws OutboundError; the body fails with one, too, or with what `inspect` throws
 */
export type StreamFetch = (url: string | URL, request: StreamRequest) => Promise<Response>;

/** The allowed destinations. */
export interface StreamFetchOptions {
  ranges: readonly PrivateRange[];
  /** Limit for the lookup, the connection and TLS together, in milliseconds. */
  connectTimeoutMs: number;
  hosts?: PrivateHosts | undefined;
  lookup?: Lookup | undefined;
}

/**
 * Creates a fetch for protocols with long or streamed responses. It has the same rules as `createSafeFetch` (checked
 * addresses, https, no redirects, no compression), but the caller bounds the body. Connections are kept for the next
 * request: they lead to an address that was checked, whatever the name resolves to later.
 */
export function createStreamFetch(options: StreamFetchOptions): { fetch: StreamFetch; close(): void } {
  const { ranges, connectTimeoutMs, lookup } = options;
  const hosts = options.hosts ?? createPrivateHosts(ranges, lookup);
  const agent = new Agent({
    connect: createCheckedConnector({
      ranges,
      timeoutMs: connectTimeoutMs,
      ...(lookup !== undefined && { lookup }),
    }),
    maxHeaderSize: 16_384,
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });

  const fetch: StreamFetch = async (
    target,
    { method = 'GET', headers = {}, body, signal, maxIdleMs, inspect, onBroken },
  ) => {
    const url = parseTarget(target, hosts);
    try {
      const answer = await undiciRequest(url, {
        dispatcher: agent,
        method,
        headers: { ...headers, 'accept-encoding': 'identity' },
        ...(body !== undefined && { body }),
        headersTimeout: maxIdleMs,
        bodyTimeout: maxIdleMs,
        ...(signal !== undefined && { signal }),
      });
      const { statusCode: status } = answer;
      const refuse = (failure: 'redirect' | 'encoding', message: string): OutboundError => {
        answer.body.on('error', () => undefined).destroy();
        return new OutboundError(failure, message);
      };
      if (status >= 300 && status < 400) throw refuse('redirect', `${url.hostname} responded with a redirect.`);
      const encoding = answer.headers['content-encoding'];
      if (encoding !== undefined && encoding !== 'identity') {
        throw refuse('encoding', `${url.hostname} responded with a content coding that was not requested.`);
      }
      const isBodyless = status === 204 || status === 205;
      if (isBodyless) answer.body.on('error', () => undefined).destroy();
      const stream = isBodyless ? null : toStream(answer.body, { hostname: url.hostname, inspect, onBroken });
      return new Response(stream, { status, headers: toHeaders(answer.headers) });
    } catch (error) {
      throw toOutboundError(error, url.hostname, signal);
    }
  };
  const close = (): void => {
    // Not `close`, which waits for the end of all streams. The promise of `destroy` is for nobody: it may stay pending
    // when a socket was closed at the same time.
    agent.destroy().catch(() => undefined);
  };
  return { fetch, close };
}

type Body = AsyncIterable<Buffer> & { on(event: 'error', listener: () => void): Body; destroy(): unknown };

function toStream(
  body: Body,
  { hostname, inspect, onBroken }: Pick<StreamRequest, 'inspect' | 'onBroken'> & { hostname: string },
): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  const end = (): void => {
    // Without a listener, an 'error' event of the destroyed stream would end the process.
    body.on('error', () => undefined).destroy();
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let next: IteratorResult<Buffer>;
      try {
        next = await chunks.next();
      } catch (error) {
        const broken = toOutboundError(error, hostname, undefined);
        onBroken?.(broken);
        controller.error(broken);
        return;
      }
      if (next.done === true) return controller.close();
      try {
        inspect(next.value);
      } catch (error) {
        end();
        controller.error(error);
        return;
      }
      controller.enqueue(next.value);
    },
    cancel: end,
  });
}
