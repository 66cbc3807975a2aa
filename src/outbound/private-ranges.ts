import ipaddr from 'ipaddr.js';

/** A parsed IP address. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A private address range, or one host and port, that the operator allows. */
export type PrivateRange =
  | { kind: 'cidr'; address: Address; prefixLength: number }
  | { kind: 'host'; host: string; port: number };

/** Whether the address is in one of the ranges. */
export function isInRanges(address: Address, ranges: readonly PrivateRange[]): boolean {
  return ranges.some(
    (range) =>
      range.kind === 'cidr' &&
      range.address.kind() === address.kind() &&
      (address as ipaddr.IPv4).match(range.address as ipaddr.IPv4, range.prefixLength),
  );
}

/** Whether the operator allows this host and port by name, whatever its addresses. @param hostname as in `URL.hostname` */
function isAllowedHost(hostname: string, port: number, ranges: readonly PrivateRange[]): boolean {
  return ranges.some((range) => range.kind === 'host' && range.host === hostname.toLowerCase() && range.port === port);
}

/** The port of a URL, or the default port of its protocol. */
export function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

/** Whether the operator allows a connection to this address for this host and port. */
export function isAllowedPrivate(
  target: { address: Address; hostname: string; port: number },
  ranges: readonly PrivateRange[],
): boolean {
  return isAllowedHost(target.hostname, target.port, ranges) || isInRanges(target.address, ranges);
}

/** Whether the operator allows the host of a URL by its name and port. */
export function isNamed(url: URL, ranges: readonly PrivateRange[]): boolean {
  return isAllowedHost(url.hostname, portOf(url), ranges);
}

/** The IP address that a host is written as. Undefined for a name. @param hostname as in `URL.hostname` */
export function toAddress(hostname: string): Address | undefined {
  const plain = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(plain) ? ipaddr.process(plain) : undefined;
}

/**
 * The addresses of a name that may be called. Normally all or none: a name with allowed and other addresses is an attack
 * or a mistake. On the machine itself it is neither: `localhost` is usually both 127.0.0.1 and ::1.
 *
 * @returns undefined if none may be called
 */
export function selectAllowed(
  addresses: readonly Address[],
  isAllowed: (address: Address) => boolean,
): readonly Address[] | undefined {
  const allowed = addresses.filter(isAllowed);
  if (allowed.length === 0) return undefined;
  const isLocal = addresses.every((address) => address.range() === 'loopback');
  return allowed.length === addresses.length || isLocal ? allowed : undefined;
}

/** Converts the host and port of a URL to a range. Used for URLs that the operator configured elsewhere. */
export function toHostRange(url: URL): PrivateRange {
  return { kind: 'host', host: url.hostname.toLowerCase(), port: portOf(url) };
}
