import { lookup as lookupName } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { OutboundError } from './outbound-error.ts';
import { type Address, isOpened, type PrivateRange } from './private-ranges.ts';
import { isPublicAddress } from './public-address.ts';

/** All addresses of a name; rejects as `dns.lookup` does. Tests give their own. */
export type Lookup = (hostname: string) => Promise<string[]>;

/** What the operating system says, IPv4 and IPv6. */
export const systemLookup: Lookup = async (hostname) => {
  const found = await lookupName(hostname, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

/**
 * A connector for undici that dials only addresses that were checked: the literal, or each one that the name resolves
 * to, looked up once and dialled by number, so that a name cannot change in between. A hook on `lookup` alone would
 * let literals through. What the socket says it is connected to is checked once more.
 *
 * @param timeoutMs for all of it: lookup, connection, TLS
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
      isPublicAddress(address) || isOpened({ address, hostname: target.hostname, port }, ranges);
    const addresses = await resolve(hostname, lookup);
    // All of them: a name that leads both outside and inside is somebody's try, or a mistake.
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
  // A zone (fe80::1%eth0) is of a link-local address, which is not allowed anyhow.
  const addresses = found.map((address) => ipaddr.process(address.replace(/%.*$/, '')));
  if (addresses.length === 0) throw new OutboundError('connection', `${hostname} has no address.`);
  return addresses;
}

function dialOne(dial: buildConnector.connector, target: buildConnector.Options, hostname: string) {
  // TLS asks for, and is checked against, the name and not the number.
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
    `${hostname} is at an address that this gateway does not call; its operator can open it with ` +
      'GATEHOUSE_ALLOWED_PRIVATE_CIDRS.',
  );
}
