import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../validation/url.ts';
import { type AuthorizationServer, findAuthorizationServer } from './discovery/authorization-server.ts';

const TTL_MS = 600_000;
/** How long to remember a failed lookup: short enough to notice a recovery, without a request for every connect. */
const FAILURE_TTL_MS = 60_000;
const MAX_ISSUERS = 1_000;

/**
 * Caches the metadata of authorization servers. It is used with settings that an admin entered, which do not say how to
 * authenticate at the token endpoint or whether responses contain `iss`. Never rejects; null when an issuer has no
 * usable metadata.
 */
export function createAdvertisedServers(options: {
  fetch: SafeFetch;
  isAllowedPrivateHost: IsAllowedPrivateHost;
  now: () => Date;
}): (issuer: string) => Promise<AuthorizationServer | null> {
  const { fetch, isAllowedPrivateHost, now } = options;
  const known = new Map<string, { found: Promise<AuthorizationServer | null>; staleAtMs: number }>();
  return (issuer) => {
    const entry = known.get(issuer);
    if (entry !== undefined && now().getTime() < entry.staleAtMs) return entry.found;
    const found = findAuthorizationServer({ fetch, issuer, isAllowedPrivateHost }).then((part) => part.found);
    const fresh = { found, staleAtMs: now().getTime() + TTL_MS };
    void found.then((server) => {
      if (server === null) fresh.staleAtMs = now().getTime() + FAILURE_TTL_MS;
    });
    known.delete(issuer);
    known.set(issuer, fresh);
    const [oldest] = known.keys();
    if (known.size > MAX_ISSUERS && oldest !== undefined) known.delete(oldest);
    return found;
  };
}
