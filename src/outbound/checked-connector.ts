import { lookup as lookupName } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import type { buildConnector } from 'undici';
import { OutboundError } from './outbound-error.ts';
import { type Address, isAllowedPrivate, type PrivateRange, selectAllowed } from './private-ranges.ts';
import { isPublicAddress } from './public-address.ts';
import { buildConnector as createConnector } from './undici.ts';

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
  const dial = createConnector({ timeout: timeoutMs, maxCachedSessions: 0 });

  const connect = async (target: buildConnector.Options) => {
    const hostname = target.hostname.replace(/^\[|\]$/g, '');
    // undici removes the brackets of an IPv6 address; `URL.hostname` and the operator's setting have them.
    const written = hostname.includes(':') ? `[${hostname}]` : hostname;
    const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
    const isOpened = (address: Address): boolean => isAllowedPrivate({ address, hostname: written, port }, ranges);
    // Without TLS, only hosts that the operator opened may be called, which for a name is known only now.
    const isAllowed = (address: Address): boolean =>
      isOpened(address) || (target.protocol === 'https:' && isPublicAddress(address));
    const found = await resolveAddresses(hostname, lookup);
    const addresses = selectAllowed(found, isAllowed);
    if (addresses === undefined) {
      const setting = `${written}:${port}`;
      const isPublic = found.every((address) => isOpened(address) || isPublicAddress(address));
      throw isPublic ? onlyWithTls(hostname, setting) : notAllowed(hostname, setting);
    }
    let lastError: unknown;
    for (const address of addresses) {
      try {
        const socket = await dialOne(dial, { ...target, hostname: address.toString() }, hostname);
        const remote = socket.remoteAddress;
        if (remote !== undefined && isAllowed(ipaddr.process(remote))) return socket;
        socket.destroy();
        throw notAllowed(hostname, `${written}:${port}`);
      } catch (error) {
        if (error instanceof OutboundError) throw error;
        lastError = error;
      }
    }
    throw isTlsError(lastError)
      ? new OutboundError('tls', `The TLS connection to ${hostname} failed.`, { cause: lastError })
      : new OutboundError('connection', `${hostname} cannot be reached.`, { cause: lastError });
  };

  return (target, callback) => {
    connect(target).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

/** The addresses of a host: at least one. @throws OutboundError if it has none */
export async function resolveAddresses(hostname: string, lookup: Lookup): Promise<Address[]> {
  if (ipaddr.isValid(hostname)) return [ipaddr.process(hostname)];
  let found: string[];
  try {
    found = await lookup(hostname);
  } catch (error) {
    throw new OutboundError('name', `${hostname} has no address.`, { cause: error });
  }
  // Only link-local addresses have a zone (fe80::1%eth0), and those are never public.
  const addresses = found.map((address) => ipaddr.process(address.replace(/%.*$/, '')));
  if (addresses.length === 0) throw new OutboundError('name', `${hostname} has no address.`);
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

/** Whether the host was reached and TLS failed. Node's and OpenSSL's codes have no common form. */
function isTlsError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:EPROTO$|ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|.*SELF_SIGNED_|.*_CERT_|HOSTNAME_MISMATCH$)/.test(code);
}

function notAllowed(hostname: string, setting: string): OutboundError {
  const message =
    `${hostname} has an address that this gateway may not call. An operator can allow it by adding ${setting} to ` +
    'GATEHOUSE_ALLOWED_PRIVATE_CIDRS.';
  return new OutboundError('address', message, { setting });
}

/** The error for http to a host that the operator did not open. @param setting what would open it */
export function onlyWithTls(hostname: string, setting: string): OutboundError {
  return new OutboundError('url', `${hostname} may only be called over https.`, { setting });
}
