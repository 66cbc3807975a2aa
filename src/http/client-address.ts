import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import ipaddr from 'ipaddr.js';
import { type Address, isInRanges, type PrivateRange } from '../outbound/private-ranges.ts';
import type { HttpEnv } from './context.ts';

/** More hops than any real chain of proxies has. */
const MAX_HOPS = 32;

/**
 * Tells callers' addresses: the one at the other end of the connection, or, as far as the operator trusts the proxies
 * there, the one that they were called from (X-Forwarded-For, read from the right; what a caller wrote himself is to the
 * left of the first proxy that is not trusted, and is not believed).
 */
export function createClientAddress(trustedProxies: readonly PrivateRange[]) {
  return (c: Context<HttpEnv>): string | undefined => {
    const socket = (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket;
    const direct = parse(socket?.remoteAddress);
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
      // A proxy that does not say from whom is the last that is known.
      if (before === undefined) break;
      client = before;
    }
    return client.toString();
  };
}

function parse(text: string | undefined): Address | undefined {
  return text !== undefined && ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}
