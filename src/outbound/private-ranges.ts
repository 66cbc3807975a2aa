import ipaddr from 'ipaddr.js';

/** An IP address, parsed. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses, or one host and port, that the operator opened although it is private. */
export type PrivateRange =
  | { kind: 'cidr'; address: Address; prefixLength: number }
  | { kind: 'host'; host: string; port: number };

/** Whether an address lies in one of the ranges. */
export function isInRanges(address: Address, ranges: readonly PrivateRange[]): boolean {
  return ranges.some(
    (range) =>
      range.kind === 'cidr' &&
      range.address.kind() === address.kind() &&
      (address as ipaddr.IPv4).match(range.address as ipaddr.IPv4, range.prefixLength),
  );
}

/** Whether the operator opened this host and port, whatever its addresses are. @param hostname as `URL.hostname` has it */
function isNamed(hostname: string, port: number, ranges: readonly PrivateRange[]): boolean {
  return ranges.some((range) => range.kind === 'host' && range.host === hostname.toLowerCase() && range.port === port);
}

/** The port that a URL means. */
export function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

/** Whether a connection to this address, on behalf of this host and port, was opened by the operator. */
export function isOpened(
  target: { address: Address; hostname: string; port: number },
  ranges: readonly PrivateRange[],
): boolean {
  return isNamed(target.hostname, target.port, ranges) || isInRanges(target.address, ranges);
}

/** Whether a URL names a host that the operator opened: by address, or as host and port. Names are not looked up. */
export function createPrivateHostCheck(ranges: readonly PrivateRange[]): (url: URL) => boolean {
  return (url) => {
    if (isNamed(url.hostname, portOf(url), ranges)) return true;
    const address = url.hostname.replace(/^\[|\]$/g, '');
    return ipaddr.isValid(address) && isInRanges(ipaddr.process(address), ranges);
  };
}

/** The host and port of a URL as a range: for what an operator named elsewhere, and so opened. */
export function toHostRange(url: URL): PrivateRange {
  return { kind: 'host', host: url.hostname.toLowerCase(), port: portOf(url) };
}
