import ipaddr from 'ipaddr.js';
import type { Address } from './private-ranges.ts';

/**
 * Ranges that ipaddr.js classifies as public but that are not on the public Internet: special-purpose ranges (IANA's
 * registries, RFC 6890) and the address of a cloud's services for its virtual machines.
 */
const ALSO_SPECIAL = [
  '100:0:0:1::/64',
  '168.63.129.16/32',
  '192.0.0.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fec0::/10',
].map((range) => ipaddr.parseCIDR(range));

/** All IPv6 unicast space that IANA has allocated so far (RFC 4291, section 2.4). Excludes `::7f00:1` and the like. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address is on the public Internet: unicast and not in a special-purpose range. An IPv4-mapped IPv6 address
 * (`::ffff:127.0.0.1`) is checked as the IPv4 address. Ranges that translate or tunnel to IPv4 are not public.
 */
export function isPublicAddress(address: Address): boolean {
  const plain = ipaddr.process(address.toString());
  if (plain.range() !== 'unicast') return false;
  if (plain.kind() === 'ipv6' && !(plain as ipaddr.IPv6).match(GLOBAL_UNICAST)) return false;
  return !ALSO_SPECIAL.some(
    ([range, prefixLength]) =>
      range.kind() === plain.kind() && (plain as ipaddr.IPv4).match(range as ipaddr.IPv4, prefixLength),
  );
}
