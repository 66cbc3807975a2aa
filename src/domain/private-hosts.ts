import ipaddr from 'ipaddr.js';
import type { IsAllowedPrivateHost } from './validation/url.ts';

/** A range of addresses, or one host and port, that the operator opened. */
export type PrivateRange =
  | { kind: 'cidr'; address: ipaddr.IPv4 | ipaddr.IPv6; prefixLength: number }
  | { kind: 'host'; host: string; port: number };

/** Whether an address lies in one of the ranges. */
export function isInRanges(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: readonly PrivateRange[]): boolean {
  return ranges.some(
    (range) =>
      range.kind === 'cidr' &&
      range.address.kind() === address.kind() &&
      (address as ipaddr.IPv4).match(range.address as ipaddr.IPv4, range.prefixLength),
  );
}

/** Whether a URL names a host that the operator opened: by address, or as host and port. Names are not looked up. */
export function createPrivateHostCheck(ranges: readonly PrivateRange[]): IsAllowedPrivateHost {
  return (url) => {
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    const host = url.hostname.toLowerCase();
    if (ranges.some((range) => range.kind === 'host' && range.host === host && range.port === port)) return true;
    const address = host.replace(/^\[|\]$/g, '');
    return ipaddr.isValid(address) && isInRanges(ipaddr.process(address), ranges);
  };
}
