import ipaddr from 'ipaddr.js';

/** The part of an IPv6 address that a client does not choose itself (RFC 6177: sites get a /64 or more). */
const IPV6_PREFIX_PARTS = 4;

/** Requests whose address is unknown, such as those of a client that left at once, share this name. */
const UNKNOWN = 'unknown';

/**
 * Names the network that limits for unknown callers count by: an IPv4 address, or the first 64 bits of an IPv6 address,
 * because one client has all addresses behind them.
 */
export function toClientNetwork(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return UNKNOWN;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${parsed.parts
    .slice(0, IPV6_PREFIX_PARTS)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
