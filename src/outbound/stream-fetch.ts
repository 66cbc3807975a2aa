import { createCheckedConnector, type Lookup } from './checked-connector.ts';
import type { OutboundError } from './outbound-error.ts';
import { createPrivateHosts, type PrivateHosts } from './private-hosts.ts';
import type { PrivateRange } from './private-ranges.ts';
import { ResponseReader, type WholeResponse } from './response-reader.ts';
import { parseTarget, type SafeRequest } from './safe-fetch.ts';
import { Agent } from './undici.ts';

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
  /**
   * Begins to look at a body of this type. What it returns sees every part of it before the reader, and throws to refuse
   * the rest.
   */
  inspectAs: (type: string) => (chunk: Uint8Array) => void;
  /** Learns that the body broke off. Its reader may not tell why. */
  onBroken?: ((error: OutboundError, status: number) => void) | undefined;
}

/**
 * Sends a request to another system. Resolves when the response's headers are there.
 *
 * @throws OutboundError; the body fails with one, too, or with what `inspectAs` throws
 */
export type StreamFetch = (url: string | URL, request: StreamRequest) => Promise<Response>;

/**
 * The same for a request whose response is usually small.
 *
 * @param isWhole whether to read a response of this status and type to its end. All others are streams
 */
export type WholeFetch = (
  url: string | URL,
  request: StreamRequest,
  isWhole: (status: number, type: string) => boolean,
) => Promise<WholeResponse | Response>;

/** The ways to send requests on one set of connections. */
export interface StreamConnection {
  fetch: StreamFetch;
  fetchWhole: WholeFetch;
  close(): void;
}

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
export function createStreamFetch(options: StreamFetchOptions): StreamConnection {
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

  const fetchWhole: WholeFetch = async (target, request, isWhole) => {
    const url = parseTarget(target, hosts);
    const { method = 'GET', headers = {}, body, signal, maxIdleMs, inspectAs, onBroken } = request;
    return new Promise((resolve, reject) => {
      const { hostname } = url;
      const reader = new ResponseReader({ hostname, signal, inspectAs, onBroken, isWhole, resolve, reject });
      agent.dispatch(
        {
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method,
          headers: { ...headers, 'accept-encoding': 'identity' },
          ...(body !== undefined && { body }),
          headersTimeout: maxIdleMs,
          bodyTimeout: maxIdleMs,
        },
        reader,
      );
    });
  };
  return {
    fetchWhole,
    fetch: async (target, request) => (await fetchWhole(target, request, () => false)) as Response,
    close() {
      // Not `close`, which waits for the end of all streams. The promise of `destroy` is for nobody: it may stay pending
      // when a socket was closed at the same time.
      agent.destroy().catch(() => undefined);
    },
  };
}
