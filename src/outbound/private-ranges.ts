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

/** Checks whether the operator allows the host of a URL, by address or by host and port. Does not resolve names. */
export function createPrivateHostCheck(ranges: readonly PrivateRange[]): (url: URL) => boolean {
  return (url) => {
    if (isAllowedHost(url.hostname, portOf(url), ranges)) return true;
    const address = url.hostname.replace(/^\[|\]$/g, '');
    return ipaddr.isValid(address) && isInRanges(ipaddr.process(address), ranges);
  };
}

/** Converts the host and port of a URL to a range. Used for URLs that the operator configured elsewhere. */
export function toHostRange(url: URL): PrivateRange {
  return { kind: 'host', host: url.hostname.toLowerCase(), port: portOf(url) };
}
