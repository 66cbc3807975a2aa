import { createMiddleware } from 'hono/factory';
import { isLoopbackHost } from '../domain/validation/url.ts';
import { misdirected } from '../errors.ts';
import type { HttpEnv } from './context.ts';

/**
 * Refuses requests for a host that is not the gateway's: neither the public URL's, nor this machine itself, nor one that
 * the operator allows. A page of another site could otherwise reach the gateway under its own name, as the same origin,
 * by pointing that name at the gateway's address (DNS rebinding). Ports are not compared, because they may be mapped.
 *
 * @throws MISDIRECTED_REQUEST, also for a WebSocket handshake
 */
export function refuseOtherHosts(options: { publicUrl: string; allowedHosts: readonly string[] }) {
  const allowed = new Set([new URL(options.publicUrl).hostname, ...options.allowedHosts]);
  const isAllowed = (hostname: string): boolean => allowed.has(hostname) || isLoopbackHost(hostname);
  return createMiddleware<HttpEnv>(async (c, next) => {
    // The header and the address can differ: a request line may contain a whole URL (RFC 9112, section 3.2.2).
    const host = c.req.header('host');
    const named = [new URL(c.req.url).hostname, ...(host === undefined ? [] : [toHostname(host)])];
    if (!named.every((hostname) => hostname !== undefined && isAllowed(hostname))) throw misdirected();
    await next();
  });
}

/** The host without its port, spelled as `URL.hostname` spells it. Undefined if it is not a host. */
function toHostname(host: string): string | undefined {
  const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
  // A host has no user name, path, query or fragment.
  return url !== undefined && !/[@/\\?#]/.test(host) ? url.hostname : undefined;
}
