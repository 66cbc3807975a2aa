import type { Context } from 'hono';
import ipaddr from 'ipaddr.js';
import { REQUEST_LIMITS } from '../limits/request-limits.ts';
import { type Address, isInRanges, type PrivateRange } from '../outbound/private-ranges.ts';
import type { HttpEnv } from './context.ts';

/** More than the number of hops in any real proxy chain. */
const MAX_HOPS = REQUEST_LIMITS.forwardingHops.value;

/**
 * Creates a function that returns the client's IP address. It starts with the address of the connection and, while that
 * is a trusted proxy, continues with the next entry of X-Forwarded-For, from right to left. Entries to the left of the
 * first untrusted address are ignored, because the client can forge them.
 */
export function createClientAddress(trustedProxies: readonly PrivateRange[]) {
  return (c: Context<HttpEnv>): string | undefined => {
    const direct = readDirectAddress(c.env as Bindings);
    if (direct === undefined) return undefined;
    const hops = (c.req.header('x-forwarded-for') ?? '').split(',').slice(-MAX_HOPS).reverse();
    let client = direct;
    for (const hop of hops) {
      if (!isInRanges(client, trustedProxies)) break;
      const before = parse(
        hop
          .trim()
          .replace(/^\[(.*)\](?::\d+)?$/, '$1')
          .replace(/^([\d.]+):\d+$/, '$1'),
      );
      // The proxy sent no valid address: the proxy itself is the last known hop.
      if (before === undefined) break;
      client = before;
    }
    return client.toString();
  };
}

/** What the server hands over with a request. In memory, there is none of it. */
export type Bindings = { incoming?: { socket?: { remoteAddress?: string | undefined } } } | undefined;

/** Creates a function that says whether a trusted proxy sent the request, so that its headers can be believed. */
export function createProxyCheck(trustedProxies: readonly PrivateRange[]) {
  return (bindings: Bindings): boolean => {
    if (trustedProxies.length === 0) return false;
    const direct = readDirectAddress(bindings);
    return direct !== undefined && isInRanges(direct, trustedProxies);
  };
}

/** The address at the other end of the connection. */
function readDirectAddress(bindings: Bindings): Address | undefined {
  return parse(bindings?.incoming?.socket?.remoteAddress);
}

function parse(text: string | undefined): Address | undefined {
  return text !== undefined && ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}
