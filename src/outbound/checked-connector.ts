import { lookup as lookupName } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { OutboundError } from './outbound-error.ts';
import { type Address, isAllowedPrivate, type PrivateRange } from './private-ranges.ts';
import { isPublicAddress } from './public-address.ts';

/** Resolves a host name to all its addresses; rejects like `dns.lookup`. Tests replace it. */
export type Lookup = (hostname: string) => Promise<string[]>;

/** Uses the operating system's resolver, for IPv4 and IPv6. */
export const systemLookup: Lookup = async (hostname) => {
  const found = await lookupName(hostname, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

/**
 * Creates an undici connector that connects only to checked addresses. A host name is resolved once and the connection
 * is made to the checked IP address, so DNS rebinding has no effect. Address literals are checked too, which a `lookup`
 * hook alone would not do. After connecting, the remote address of the socket is checked again.
 *
 * @param timeoutMs limit for the lookup, the connection and TLS together
 */
export function createCheckedConnector(options: {
  ranges: readonly PrivateRange[];
  timeoutMs: number;
  lookup?: Lookup;
}): buildConnector.connector {
  const { ranges, timeoutMs, lookup = systemLookup } = options;
  const dial = buildConnector({ timeout: timeoutMs, maxCachedSessions: 0 });

  const connect = async (target: buildConnector.Options) => {
    const hostname = target.hostname.replace(/^\[|\]$/g, '');
    const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
    const isAllowed = (address: Address): boolean =>
      isPublicAddress(address) || isAllowedPrivate({ address, hostname: target.hostname, port }, ranges);
    const addresses = await resolve(hostname, lookup);
    // Every address must be allowed: a name with public and private addresses is an attack or a mistake.
    if (!addresses.every(isAllowed)) throw notAllowed(hostname);
    let lastError: unknown;
    for (const address of addresses) {
      try {
        const socket = await dialOne(dial, { ...target, hostname: address.toString() }, hostname);
        const remote = socket.remoteAddress;
        if (remote !== undefined && isAllowed(ipaddr.process(remote))) return socket;
        socket.destroy();
        throw notAllowed(hostname);
      } catch (error) {
        if (error instanceof OutboundError) throw error;
        lastError = error;
      }
    }
    throw new OutboundError('connection', `${hostname} cannot be reached.`, { cause: lastError });
  };

  return (target, callback) => {
    connect(target).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

async function resolve(hostname: string, lookup: Lookup): Promise<Address[]> {
  if (ipaddr.isValid(hostname)) return [ipaddr.process(hostname)];
  let found: string[];
  try {
    found = await lookup(hostname);
  } catch (error) {
    throw new OutboundError('connection', `${hostname} has no address.`, { cause: error });
  }
  // Only link-local addresses have a zone (fe80::1%eth0), and those are never public.
  const addresses = found.map((address) => ipaddr.process(address.replace(/%.*$/, '')));
  if (addresses.length === 0) throw new OutboundError('connection', `${hostname} has no address.`);
  return addresses;
}

function dialOne(dial: buildConnector.connector, target: buildConnector.Options, hostname: string) {
  // TLS must use the host name, not the IP address, for SNI and certificate validation.
  const servername = ipaddr.isValid(hostname) ? undefined : hostname;
  return new Promise<import('node:net').Socket>((resolve, reject) => {
    dial({ ...target, ...(servername !== undefined && { servername }) }, (error, socket) => {
      if (error === null) resolve(socket);
      else reject(error);
    });
  });
}

function notAllowed(hostname: string): OutboundError {
  return new OutboundError(
    'address',
    `${hostname} has an address that this gateway may not call. An operator can allow it with ` +
      'GATEHOUSE_ALLOWED_PRIVATE_CIDRS.',
  );
}
