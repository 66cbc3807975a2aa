import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../validation/url.ts';
import { type AuthorizationServer, findAuthorizationServer } from './discovery/authorization-server.ts';
import { limitFetch } from './discovery/limited-fetch.ts';

const TTL_MS = 600_000;
/** How long to remember a failed lookup: short enough to notice a recovery, without a request for every connect. */
const FAILURE_TTL_MS = 60_000;
/** A user waits for it. */
const WITHIN = { maxRequests: OUTBOUND_LIMITS.issuerRequests.value, maxMs: OUTBOUND_LIMITS.issuerTime.value };

/**
 * Caches the metadata of authorization servers. It is used with settings that an admin entered, which do not say how to
 * authenticate at the token endpoint or whether responses contain `iss`. Never rejects; null when an issuer has no
 * usable metadata.
 */
export function createAdvertisedServers(options: {
  fetch: SafeFetch;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  caches: Caches;
  now: () => Date;
}): (issuer: string) => Promise<AuthorizationServer | null> {
  const { fetch, isAllowedPrivateHost, caches, now } = options;
  const known = caches.createPromiseCache<string, { server: AuthorizationServer | null; staleAtMs: number }>(
    CACHE_BOUNDS.authorizationServers,
    (issuer, found) => estimateBytes(issuer) + estimateBytes(found),
  );
  const find = async (issuer: string) => {
    const limited = limitFetch(fetch, WITHIN);
    const { found: server } = await findAuthorizationServer({ fetch: limited, issuer, isAllowedPrivateHost });
    return { server, staleAtMs: now().getTime() + (server === null ? FAILURE_TTL_MS : TTL_MS) };
  };
  return async (issuer) => {
    const cached = known.getOrStart(issuer, () => find(issuer));
    const found = await cached;
    if (now().getTime() < found.staleAtMs) return found.server;
    // Unless another caller has replaced it already.
    if (known.get(issuer) === cached) known.delete(issuer);
    return (await known.getOrStart(issuer, () => find(issuer))).server;
  };
}
